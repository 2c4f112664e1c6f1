//! Badge fills against their white text, and against each other as colour-blind readers see them.

use diagram::dot::palette::{self, fill};
use diagram::kinds::Category;
use diagram::look::Look;

fn linear(hex: &str) -> [f64; 3] {
    [1, 3, 5].map(|at| {
        let channel = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if channel <= 0.04045 {
            channel / 12.92
        } else {
            ((channel + 0.055) / 1.055).powf(2.4)
        }
    })
}

fn luminance(hex: &str) -> f64 {
    let [r, g, b] = linear(hex);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast_with_white(hex: &str) -> f64 {
    1.05 / (luminance(hex) + 0.05)
}

#[test]
fn text_is_readable_on_the_card_it_stands_on() {
    let everywhere = [
        palette::INK,
        palette::SOFT,
        palette::GREEN_TEXT,
        palette::VERMILION_TEXT,
        palette::OCHRE_TEXT,
    ];
    let own = [
        (Look::Added, palette::BLUE),
        (Look::Changed, palette::BROWN),
        (Look::Removed, palette::FAINT),
        (Look::Faint, palette::FAINT),
    ];
    let looks = [
        Look::Plain,
        Look::Missing,
        Look::Added,
        Look::Changed,
        Look::Removed,
        Look::Faint,
    ];
    let pairs = looks
        .into_iter()
        .flat_map(|look| everywhere.map(|color| (look, color)))
        .chain(own);
    for (look, color) in pairs {
        let ground = match palette::ground(look) {
            "white" => "#FFFFFF",
            ground => ground,
        };
        let contrast = (luminance(ground) + 0.05) / (luminance(color) + 0.05);
        assert!(contrast >= 4.5, "{color} on {look:?}: {contrast:.2}");
    }
    for badge in [palette::VERMILION_TEXT, palette::FAINT] {
        assert!(contrast_with_white(badge) >= 4.5, "{badge}");
    }
}

/// Simulation after Machado, Oliveira and Fernandes (2009), severity 1.
const SIGHTS: [(&str, [[f64; 3]; 3]); 4] = [
    (
        "normal",
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    ),
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

fn seen(hex: &str, sight: &[[f64; 3]; 3]) -> [f64; 3] {
    let rgb = linear(hex);
    sight.map(|row| {
        row.iter()
            .zip(rgb)
            .map(|(weight, channel)| weight * channel)
            .sum::<f64>()
            .clamp(0.0, 1.0)
    })
}

fn lab(rgb: [f64; 3]) -> [f64; 3] {
    let [r, g, b] = rgb;
    let curve = |t: f64| {
        if t > 0.008_856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    };
    let x = curve((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    let y = curve(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = curve((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    lab(a)
        .iter()
        .zip(lab(b))
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f64>()
        .sqrt()
}

#[test]
fn white_text_is_readable_on_every_badge() {
    for category in Category::ALL.into_iter().chain([Category::External]) {
        assert!(contrast_with_white(fill(category)) >= 4.5, "{category:?}");
    }
}

#[test]
fn badges_stay_apart_for_every_kind_of_sight() {
    for (sight, matrix) in &SIGHTS {
        for (position, a) in Category::ALL.iter().enumerate() {
            for b in &Category::ALL[position + 1..] {
                let apart = distance(seen(fill(*a), matrix), seen(fill(*b), matrix));
                assert!(apart >= 10.0, "{a:?} and {b:?} with {sight}: {apart:.1}");
            }
        }
    }
}

//! Who is meant by an identifier: ARNs and other names of all rows of a run, and the references between them.

use std::collections::HashMap;

/// Everything in a run that has a name, kept compactly.
#[derive(Debug, Default)]
pub struct Identifiers {
    bearers: Vec<Bearer>,
    by_name: HashMap<Box<str>, Vec<u32>>,
    words: Words,
}

#[derive(Debug)]
struct Bearer {
    arn: Box<str>,
    account: u32,
    region: u32,
    resource_type: u32,
}

/// Texts that repeat, by number.
#[derive(Debug, Default)]
struct Words(HashMap<Box<str>, u32>);

impl Words {
    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.0.get(word) {
            return *number;
        }
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(word.into(), number);
        number
    }

    fn find(&self, word: &str) -> Option<u32> {
        self.0.get(word).copied()
    }
}

/// Where a name is borne, or looked for.
#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    /// Account.
    pub account_id: &'a str,
    /// Region, or `global`.
    pub region: &'a str,
}

impl Identifiers {
    /// Adds a row with its ARN and other names.
    pub fn add(&mut self, home: Home, resource_type: &str, arn: &str, names: &[String]) {
        let Ok(number) = u32::try_from(self.bearers.len()) else {
            return;
        };
        self.bearers.push(Bearer {
            arn: arn.into(),
            account: self.words.number(home.account_id),
            region: self.words.number(home.region),
            resource_type: self.words.number(resource_type),
        });
        for name in std::iter::once(arn).chain(names.iter().map(String::as_str)) {
            self.enter(name, number);
            if let Some(host) = host_name(name) {
                self.enter(&host, number);
            }
        }
    }

    fn enter(&mut self, name: &str, number: u32) {
        match self.by_name.get_mut(name) {
            Some(bearers) if bearers.last() == Some(&number) => {}
            Some(bearers) => bearers.push(number),
            None => {
                self.by_name.insert(name.into(), vec![number]);
            }
        }
    }

    /// ARNs that an identifier means to somebody in `home`, sorted.
    ///
    /// The narrowest scope that knows it decides: account and region, the account's global resources, the account,
    /// the run. Several bearers in one account and region (an address and the instance behind it) are all meant;
    /// bearers in different ones are a coincidence of names, and none is.
    pub fn resolve(&self, identifier: &str, home: Home, target: Option<&str>) -> Vec<&str> {
        let host = host_name(identifier);
        let mut bearers = self.bearers_of(identifier, target);
        if let (true, Some(host)) = (bearers.is_empty(), &host) {
            bearers = self.bearers_of(host, target);
        }
        let account = self.words.find(home.account_id);
        let region = self.words.find(home.region);
        let global = self.words.find("global");
        let scopes: [&dyn Fn(&Bearer) -> bool; 4] = [
            &|bearer| Some(bearer.account) == account && Some(bearer.region) == region,
            &|bearer| Some(bearer.account) == account && Some(bearer.region) == global,
            &|bearer| Some(bearer.account) == account,
            &|_| true,
        ];
        for scope in scopes {
            let known: Vec<&Bearer> = bearers
                .iter()
                .copied()
                .filter(|bearer| scope(bearer))
                .collect();
            let Some(first) = known.first() else { continue };
            let mut arns: Vec<&str> = known.iter().map(|bearer| &*bearer.arn).collect();
            arns.sort_unstable();
            arns.dedup();
            let together = known
                .iter()
                .all(|bearer| bearer.account == first.account && bearer.region == first.region);
            return if together || arns.len() == 1 {
                arns
            } else {
                Vec::new()
            };
        }
        Vec::new()
    }

    fn bearers_of(&self, name: &str, target: Option<&str>) -> Vec<&Bearer> {
        let numbers = self.by_name.get(name).into_iter().flatten();
        let bearers = numbers.filter_map(|number| self.bearers.get(*number as usize));
        // An ARN says of itself what it is.
        let target = target
            .filter(|_| !name.starts_with("arn:"))
            .map(|target| self.words.find(target));
        bearers
            .filter(|bearer| target.is_none_or(|target| target == Some(bearer.resource_type)))
            .collect()
    }
}

/// DNS names compare without case and final dot.
fn host_name(name: &str) -> Option<String> {
    let looks = name.contains('.') && !name.contains([':', '/', ' ', '@']);
    let plain = looks.then(|| name.trim_end_matches('.').to_ascii_lowercase())?;
    (plain != name).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Home = Home {
        account_id: "111122223333",
        region: "eu-west-1",
    };
    const THERE: Home = Home {
        account_id: "111122223333",
        region: "us-east-1",
    };
    const OTHER: Home = Home {
        account_id: "444455556666",
        region: "eu-west-1",
    };

    #[test]
    fn the_narrowest_scope_decides() {
        let mut names = Identifiers::default();
        names.add(HERE, "rds:pg", "arn:here", &["default".to_owned()]);
        names.add(THERE, "rds:pg", "arn:there", &["default".to_owned()]);
        names.add(OTHER, "rds:pg", "arn:other", &["lonely".to_owned()]);
        assert_eq!(names.resolve("default", HERE, None), ["arn:here"]);
        assert_eq!(names.resolve("default", THERE, None), ["arn:there"]);
        assert!(
            names.resolve("default", OTHER, None).is_empty(),
            "two regions of another account"
        );
        assert_eq!(names.resolve("lonely", HERE, None), ["arn:other"]);
        assert_eq!(names.resolve("arn:there", OTHER, None), ["arn:there"]);
        assert!(names.resolve("default", HERE, Some("ec2:vpc")).is_empty());
    }

    #[test]
    fn host_names_compare_as_dns_does() {
        let mut names = Identifiers::default();
        names.add(
            HERE,
            "elbv2:load-balancer",
            "arn:lb",
            &["Web-1.eu.elb.amazonaws.com".to_owned()],
        );
        assert_eq!(
            names.resolve("web-1.EU.elb.amazonaws.com.", THERE, None),
            ["arn:lb"]
        );
    }

    #[test]
    fn an_address_means_everything_that_has_it() {
        let mut names = Identifiers::default();
        names.add(HERE, "ec2:instance", "arn:i", &["198.51.100.7".to_owned()]);
        names.add(
            HERE,
            "ec2:elastic-ip",
            "arn:eip",
            &["198.51.100.7".to_owned()],
        );
        let global = Home {
            region: "global",
            ..HERE
        };
        assert_eq!(
            names.resolve("198.51.100.7", global, None),
            ["arn:eip", "arn:i"]
        );
    }
}

//! Two things asked of DuckDB at once.

use duckdb::Connection;

/// Does `work` with `other`, a second connection to a database, while `meanwhile` is done with the first: most of the time of
/// short questions goes into planning, of which a connection does one at a time. What the first has not committed, the second
/// does not see: nothing may be under way.
///
/// # Errors
/// Those of either.
pub(crate) fn beside<A: Send, B>(
    other: Connection,
    work: impl FnOnce(&Connection) -> anyhow::Result<A> + Send,
    meanwhile: impl FnOnce() -> anyhow::Result<B>,
) -> anyhow::Result<(A, B)> {
    std::thread::scope(|scope| {
        let work = scope.spawn(move || work(&other));
        let own = meanwhile();
        let others = work
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((others?, own?))
    })
}

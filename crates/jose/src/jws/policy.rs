//! How much of what RFC 7515 leaves open is taken.

/// Whose rules a verifier or signer follows where the RFCs leave a choice.
///
/// No policy accepts what an RFC makes invalid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// One way to say each thing, and nothing that two readers could read differently.
    #[default]
    Strict,
    /// All that RFC 7515 and RFC 7797 let a recipient take and a producer write.
    Rfc,
    /// As joserfc 1.8.0 reads and writes, for peers that use it.
    Joserfc,
}

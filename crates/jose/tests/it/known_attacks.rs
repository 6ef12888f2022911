//! What other libraries have been hit by. Each test is named after the attack and walks a table of
//! inputs that must be refused, with the kind of the refusal. Signatures in the tables about
//! headers are genuine, so that nothing but the rule under test refuses them.

mod alg;
mod critical;
mod encoding;
mod exhaustion;
mod injection;
mod json;
mod jwt;
mod key_numbers;
mod leaks;
mod mac_keys;
mod serialization;
mod signature;

//! Numbers that differ at every run, from the seeds that the standard library draws for its hash maps: enough to choose a
//! bit or make a payload, and nothing here is a secret.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

pub(crate) struct Random {
    seed: RandomState,
    drawn: u64,
}

impl Random {
    pub(crate) fn new() -> Self {
        Self { seed: RandomState::new(), drawn: 0 }
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        let mut hasher = self.seed.build_hasher();
        hasher.write_u64(self.drawn);
        hasher.finish()
    }

    /// A number from 0 to `bound` - 1.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }

    pub(crate) fn hex(&mut self, count: usize) -> String {
        self.bytes(count).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

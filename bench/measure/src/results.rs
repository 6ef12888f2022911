//! Everything that one run found out.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    candidate::LAYER, http::Http, large::Large, memory::Memory, pairs::Over, rounds::Times,
    statistics::Summary,
};

#[derive(Default)]
pub(crate) struct Results {
    pub(crate) times: Times,
    /// Of our operations, as [`pairs`](crate::pairs) finds them.
    pub(crate) over: Over,
    /// By candidate and operation.
    pub(crate) allocations: BTreeMap<(String, String), f64>,
    pub(crate) large: BTreeMap<&'static str, Large>,
    pub(crate) scripts: Vec<Script>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) http: Http,
}

/// What a script in another language measured by itself.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Script {
    /// Name and version.
    pub(crate) library: String,
    /// Nanoseconds by operation.
    pub(crate) times: BTreeMap<String, f64>,
}

impl Results {
    fn summary(&self, candidate: &str, operation: &str) -> Option<&Summary> {
        self.times.get(&(candidate.to_owned(), operation.to_owned()))
    }

    /// Nanoseconds of an undisturbed time.
    pub(crate) fn ns(&self, candidate: &str, operation: &str) -> Option<f64> {
        Some(self.summary(candidate, operation)?.p10)
    }

    /// What is in our own binary: Sealwright and the floor.
    pub(crate) fn ours(&self, operation: &str) -> Option<&Summary> {
        self.summary("ours", operation)
    }

    /// The measure of this machine, by which nanoseconds are scaled. Each part takes it in its own run.
    pub(crate) fn bare_hmac(&self) -> Option<&Summary> {
        let of = |candidate| self.summary(candidate, "verify/HS256/primitive");
        of("ours").or_else(|| of(LAYER))
    }

    pub(crate) fn allocations(&self, candidate: &str, operation: &str) -> Option<f64> {
        self.allocations.get(&(candidate.to_owned(), operation.to_owned())).copied()
    }

    /// Nanoseconds of `subject/what` over `subject/floor`.
    pub(crate) fn over(&self, subject: &str, what: &str, floor: &str) -> Option<f64> {
        self.over.get(&(format!("{subject}/{what}"), format!("{subject}/{floor}"))).copied()
    }

    /// How often Sealwright's `operation` fits into that of `candidate`.
    pub(crate) fn times_faster(&self, operation: &str, candidate: &str, theirs: &str) -> Option<f64> {
        Some(self.summary(candidate, theirs)?.ratio(self.ours(operation)?))
    }

    pub(crate) fn large(&self, way: &str) -> Option<&Summary> {
        Some(&self.large.get(way)?.time)
    }

    /// Nanoseconds of a script's library, whose name starts so.
    pub(crate) fn script_ns(&self, library: &str, operation: &str) -> Option<f64> {
        let script = self.scripts.iter().find(|script| script.library.starts_with(library))?;
        script.times.get(operation).copied()
    }
}

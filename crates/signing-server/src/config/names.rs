//! References by name, resolved before anything starts.

use std::{collections::BTreeMap, sync::Arc};

use sealwright_service::resource::{Report, Resource};

/// The resources of one kind. One that could not be read keeps its name, so that whoever refers to it
/// is not told that it doesn't exist.
pub(super) struct Names<'r, T> {
    kind: &'static str,
    items: BTreeMap<&'r str, (&'r Resource, Option<Arc<T>>)>,
}

impl<'r, T> Names<'r, T> {
    /// Reads every resource of `kind`.
    pub(super) fn collect(
        kind: &'static str,
        resources: &'r [Resource],
        mut read: impl FnMut(&'r Resource) -> Option<T>,
    ) -> Self {
        let of_kind = resources.iter().filter(|resource| resource.kind == kind);
        let items = of_kind
            .map(|resource| (resource.name.as_str(), (resource, read(resource).map(Arc::new))))
            .collect();
        Self { kind, items }
    }

    /// What `from` means by `name` at `path`; a fault there if nothing is called that.
    pub(super) fn resolve(
        &self,
        name: &str,
        from: &Resource,
        path: &str,
        report: &mut Report,
    ) -> Option<Arc<T>> {
        if let Some((_, item)) = self.items.get(name) {
            return item.clone();
        }
        let known: Vec<&str> = self.items.keys().copied().collect();
        let hint = if known.is_empty() {
            format!("no {} is declared", self.kind)
        } else {
            format!("declared are: {}", known.join(", "))
        };
        from.fault(path, format!("there is no {} named `{name}`; {hint}", self.kind), report);
        None
    }

    /// Where `name` is declared.
    pub(super) fn resource(&self, name: &str) -> Option<&'r Resource> {
        self.items.get(name).map(|(resource, _)| *resource)
    }

    /// Those that could be read, with the documents that declare them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'r Resource, &Arc<T>)> {
        self.items.values().filter_map(|(resource, item)| Some((*resource, item.as_ref()?)))
    }

    pub(super) fn into_values(self) -> Vec<Arc<T>> {
        self.items.into_values().filter_map(|(_, item)| item).collect()
    }
}

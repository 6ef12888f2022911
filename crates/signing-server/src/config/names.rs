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
        report: &mut Report,
        mut read: impl FnMut(&'r Resource, &mut Report) -> Option<T>,
    ) -> Self {
        let mut items: BTreeMap<&str, (&Resource, Option<Arc<T>>)> = BTreeMap::new();
        for resource in resources.iter().filter(|resource| resource.kind == kind) {
            let item = read(resource, report).map(Arc::new);
            // Of one namespace the loader has said so; references here name no namespace.
            if let Some((first, _)) = items.get(resource.name.as_str())
                && first.namespace != resource.namespace
            {
                let message = "another namespace has this name; names are unique over all of them here";
                resource.fault("metadata.name", message, report);
            }
            items.entry(&resource.name).or_insert((resource, item));
        }
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

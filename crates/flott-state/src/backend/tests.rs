use super::*;

struct Named(&'static str);

impl StateBackend for Named {
    fn name(&self) -> &str {
        self.0
    }

    fn open(&self, _scope: &BackendScope) -> Result<KeyedStorage, StateError> {
        Ok(KeyedStorage::Heap)
    }
}

fn error(registry: &BackendRegistry, name: &str) -> String {
    registry.by_name(name).err().unwrap().to_string()
}

#[test]
fn hashmap_is_known_from_the_start() {
    assert_eq!(BackendRegistry::default().by_name("hashmap").unwrap().name(), "hashmap");
}

#[test]
fn a_registered_backend_is_found_by_its_name() {
    let mut registry = BackendRegistry::default();
    registry.register(Arc::new(Named("mine"))).unwrap();
    assert_eq!(registry.by_name("mine").unwrap().name(), "mine");
}

#[test]
fn two_backends_of_one_name_are_refused() {
    let mut registry = BackendRegistry::default();
    let error = registry.register(Arc::new(Named("hashmap"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a state backend 'hashmap' is registered already; register each under its own name"
    );
}

#[test]
fn an_unknown_backend_lists_the_known_ones_and_the_likely_one() {
    let mut registry = BackendRegistry::default();
    registry.register(Arc::new(Named("mine"))).unwrap();
    assert_eq!(
        error(&registry, "HashMaps"),
        "there is no state backend 'HashMaps' (did you mean 'hashmap'?); known are: hashmap, mine"
    );
    assert_eq!(error(&registry, "zzz"), "there is no state backend 'zzz'; known are: hashmap, mine");
}

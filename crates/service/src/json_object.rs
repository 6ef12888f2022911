//! JSON objects and nothing else: serde's derived structs would also be read from arrays, by position.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A `T` that stands as an object.
///
/// ```
/// use sealwright_service::json_object::Object;
///
/// #[derive(serde::Deserialize)]
/// struct Login {
///     user: String,
/// }
///
/// let Object(login): Object<Login> = serde_json::from_str(r#"{"user":"alice"}"#)?;
/// assert_eq!(login.user, "alice");
/// assert!(serde_json::from_str::<Login>(r#"["alice"]"#).is_ok(), "serde takes the array");
/// assert!(serde_json::from_str::<Object<Login>>(r#"["alice"]"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

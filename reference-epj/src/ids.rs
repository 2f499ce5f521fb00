//! Fresh identifiers.

use uuid::Uuid;

/// A random UUID (version 4).
pub(crate) fn fresh() -> Uuid {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).expect("the operating system has random bytes");
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Most characters of a foreign id that are remembered: others choose how long it is.
const LONGEST: usize = 1024;

/// The beginning of a foreign id, which stands for the whole.
pub(crate) fn cut(id: &str) -> String {
    id.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_is_another() {
        assert_ne!(fresh(), fresh());
        assert_eq!(fresh().get_version_num(), 4);
    }

    #[test]
    fn no_id_is_remembered_at_any_length() {
        assert_eq!(cut("å1"), "å1");
        assert_eq!(cut(&"å".repeat(1_000_000)).chars().count(), LONGEST);
    }
}

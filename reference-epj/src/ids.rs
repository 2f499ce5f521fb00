//! Fresh identifiers.

use uuid::Uuid;

/// A random UUID (version 4).
pub(crate) fn fresh() -> Uuid {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).expect("the operating system has random bytes");
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_is_another() {
        assert_ne!(fresh(), fresh());
        assert_eq!(fresh().get_version_num(), 4);
    }
}

//! Serial number arithmetic (RFC 1982) over 32 bits: transfer and delivery numbers wrap, and the official client begins three
//! before the wrap (contract 01 section 1.8).

/// Whether `a` comes after `b`.
pub(crate) fn is_after(a: u32, b: u32) -> bool {
    ahead(a, b) > 0
}

/// How far `a` is ahead of `b`; negative when it is behind.
pub(crate) fn ahead(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b).cast_signed()
}

/// How many transfers or deliveries the peer still has room for: it counted up to `theirs` and grants `granted` from there,
/// we have counted up to `ours`.
pub(crate) fn room(theirs: u32, granted: u32, ours: u32) -> u32 {
    let under_way = ahead(ours, theirs);
    match u32::try_from(under_way) {
        Ok(under_way) => granted.saturating_sub(under_way),
        // The peer claims to have seen what was not sent; it gets no more than it granted.
        Err(_) => granted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_survives_the_wrap() {
        let start: u32 = 4_294_967_293;
        assert!(is_after(start.wrapping_add(4), start));
        assert!(!is_after(start, start.wrapping_add(4)));
        assert!(!is_after(7, 7));
        assert_eq!(ahead(1, u32::MAX), 2);
    }

    #[test]
    fn room_shrinks_by_what_is_under_way() {
        assert_eq!(room(4_294_967_293, 10, 4_294_967_293), 10);
        assert_eq!(room(4_294_967_293, 10, 2), 5);
        assert_eq!(room(0, 3, 7), 0);
        assert_eq!(room(9, 3, 7), 3);
        assert_eq!(room(0, u32::MAX, 5), u32::MAX - 5);
    }
}

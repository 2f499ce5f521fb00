//! Reads a recording of AMQP connections on the loopback interface (pcapng, Ethernet, IPv4, TCP port 5672) into the units that
//! each side sent: protocol headers and frames, in the order in which they were complete.

use std::collections::BTreeMap;
use std::path::Path;

const BROKER_PORT: u16 = 5672;
const ENHANCED_PACKET: u32 = 6;
const SYN: u8 = 2;

/// Who sent a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum From {
    Client,
    Broker,
}

/// A protocol header or a frame.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// Number of the connection, in the order in which they were opened.
    pub(crate) connection: usize,
    pub(crate) from: From,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Default)]
struct Stream {
    next: u32,
    pending: Vec<u8>,
}

/// Reads a recording; heartbeats are left out.
pub(crate) fn read(path: &Path) -> Vec<Unit> {
    let file = std::fs::read(path).unwrap();
    let mut connections: BTreeMap<u16, usize> = BTreeMap::new();
    let mut streams: BTreeMap<(u16, From), Stream> = BTreeMap::new();
    let mut units = Vec::new();
    for packet in packets(&file) {
        let (port, from, sequence, flags, data) = segment(packet);
        let count = connections.len();
        let connection = *connections.entry(port).or_insert(count);
        let stream = streams.entry((port, from)).or_default();
        if flags & SYN != 0 {
            stream.next = sequence.wrapping_add(1);
            continue;
        }
        // A retransmission brings bytes that are known.
        let known = stream.next.wrapping_sub(sequence) as usize;
        let Some(fresh) = data.get(known..) else {
            continue;
        };
        stream.next = stream.next.wrapping_add(fresh.len() as u32);
        stream.pending.extend_from_slice(fresh);
        while let Some(bytes) = cut(&mut stream.pending) {
            if bytes.len() > 8 || bytes.starts_with(b"AMQP") {
                units.push(Unit {
                    connection,
                    from,
                    bytes,
                });
            }
        }
    }
    units
}

fn packets(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < file.len() {
            let (kind, block) = (word(at), at);
            at += word(at + 4) as usize;
            if kind == ENHANCED_PACKET {
                let length = word(block + 20) as usize;
                return Some(&file[block + 28..block + 28 + length]);
            }
        }
        None
    })
}

fn segment(packet: &[u8]) -> (u16, From, u32, u8, &[u8]) {
    let ip = &packet[14..];
    let header = usize::from(ip[0] & 15) * 4;
    let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    let tcp = &ip[header..total];
    let (source, destination) = (
        u16::from_be_bytes([tcp[0], tcp[1]]),
        u16::from_be_bytes([tcp[2], tcp[3]]),
    );
    let sequence = u32::from_be_bytes(tcp[4..8].try_into().unwrap());
    let data = &tcp[usize::from(tcp[12] >> 4) * 4..];
    match destination == BROKER_PORT {
        true => (source, From::Client, sequence, tcp[13], data),
        false => (destination, From::Broker, sequence, tcp[13], data),
    }
}

fn cut(pending: &mut Vec<u8>) -> Option<Vec<u8>> {
    let size = match pending.first_chunk::<4>()? {
        b"AMQP" => 8,
        size => u32::from_be_bytes(*size) as usize,
    };
    (pending.len() >= size).then(|| pending.drain(..size).collect())
}

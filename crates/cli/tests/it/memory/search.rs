//! Looks for the bytes of private keys in the memory of another process.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    os::unix::fs::FileExt,
};

use sealwright_jose::{SigningKey, base64url};
use serde_json::Value;

/// One form of a secret number.
pub(crate) struct Needle {
    what: String,
    bytes: Vec<u8>,
}

/// The secret numbers of a key, in each form in which memory may have them. DER, PEM and JWK hold the same numbers, so that
/// these forms are found in all of them.
pub(crate) fn needles(key: &SigningKey) -> Vec<Needle> {
    let jwk: Value = serde_json::from_str(&key.to_jwk().expect("it has a JWK")).expect("JSON");
    let mut needles = Vec::new();
    for name in ["d", "p", "q", "dp", "dq", "qi", "priv"] {
        let Some(text) = jwk[name].as_str() else { continue };
        let number = base64url::decode(text).expect("base64url");
        // The middle is there whatever stands around it, and of copies of which the ends were overwritten already.
        let middle = &number[number.len() / 4..number.len() / 4 + 18];
        let mut add =
            |form: &str, bytes: Vec<u8>| needles.push(Needle { what: format!("{name} {form}"), bytes });
        add("big-endian", middle.to_vec());
        add("little-endian", middle.iter().rev().copied().collect());
        // At which of three offsets it begins depends on what stands before it.
        for offset in 0..3 {
            let text = base64url::encode(&middle[offset..offset + 15]);
            if text.contains(['-', '_']) {
                add("in base64", text.replace('-', "+").replace('_', "/").into_bytes());
            }
            add("in base64url", text.into_bytes());
        }
        let hex: String = middle.iter().map(|byte| format!("{byte:02x}")).collect();
        add("in HEXADECIMAL", hex.to_uppercase().into_bytes());
        add("in hexadecimal", hex.into_bytes());
    }
    assert!(!needles.is_empty());
    needles
}

/// Where in the memory of the process the needles are, by the name of the key. Those that are nowhere are left out.
pub(crate) fn search(pid: u32, keys: &BTreeMap<String, Vec<Needle>>) -> BTreeMap<String, Vec<String>> {
    const CHUNK: usize = 1 << 20;
    /// No needle is longer.
    const OVERLAP: usize = 64;
    let mut starts = vec![false; 1 << 16];
    let mut by_start: HashMap<&[u8], Vec<(&str, &Needle)>> = HashMap::new();
    for (kid, needles) in keys {
        for needle in needles {
            starts[usize::from(u16::from_be_bytes([needle.bytes[0], needle.bytes[1]]))] = true;
            by_start.entry(&needle.bytes[..2]).or_default().push((kid, needle));
        }
    }
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("the process is ours");
    let (mut chunk, nothing) = (vec![0; CHUNK], vec![0; CHUNK]);
    let (mut found, mut searched): (BTreeMap<String, Vec<String>>, usize) = (BTreeMap::new(), 0);
    for map in maps.lines() {
        let mut columns = map.split_whitespace();
        let (range, access) = (columns.next().expect("a range"), columns.next().expect("an access"));
        // What is only a view of a file, such as a program's text, has no secrets.
        if !access.starts_with('r') || (!access.contains('w') && map.contains('/')) {
            continue;
        }
        let (from, to) = range.split_once('-').expect("a range");
        let [from, to] = [from, to].map(|at| u64::from_str_radix(at, 16).expect("an address"));
        for start in (from..to).step_by(CHUNK - OVERLAP) {
            let len = usize::try_from(to - start).map_or(CHUNK, |rest| rest.min(CHUNK));
            match memory.read_exact_at(&mut chunk[..len], start) {
                Ok(()) => {}
                // The kernel's own pages cannot be read.
                Err(_) if map.contains("[v") => continue,
                Err(error) => panic!("{map}: {error}"),
            }
            // The allocator has more of the address space than it uses, and so much would take minutes byte by byte.
            if chunk[..len] == nothing[..len] {
                continue;
            }
            searched += len;
            for at in 0..len.saturating_sub(1) {
                if !starts[usize::from(u16::from_be_bytes([chunk[at], chunk[at + 1]]))] {
                    continue;
                }
                for (kid, needle) in by_start.get(&chunk[at..at + 2]).into_iter().flatten() {
                    if chunk[at..len].starts_with(&needle.bytes) {
                        let place = format!("{} at {:x} in {map}", needle.what, start + at as u64);
                        found.entry((*kid).to_owned()).or_default().push(place);
                    }
                }
            }
        }
    }
    println!("{} MiB of {pid} were searched", searched >> 20);
    assert!(searched > 1 << 20, "only {searched} bytes of memory could be read");
    found
}

//! Looks for the bytes of private keys in the memory of another process.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::FileExt,
};

use sealwright_jose::SigningKey;
use sealwright_testkit::needles::{self, Finder, LONGEST, Needle};

/// The secret numbers of a key, in each form in which memory may have them.
pub(crate) fn needles(key: &SigningKey) -> Vec<Needle> {
    needles::private(&key.to_jwk().expect("it has a JWK"))
}

/// Where in the memory of the process the needles are, by the name of the key. Those that are nowhere are left out.
pub(crate) fn search(pid: u32, keys: &BTreeMap<String, Vec<Needle>>) -> BTreeMap<String, Vec<String>> {
    const CHUNK: usize = 1 << 20;
    let finder = Finder::new(keys.iter().map(|(kid, needles)| (kid.as_str(), &needles[..])));
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
        for start in (from..to).step_by(CHUNK - LONGEST) {
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
            for (kid, needle, at) in finder.find(&chunk[..len]) {
                let place = format!("{} at {:x} in {map}", needle.what, start + at as u64);
                found.entry(kid.to_owned()).or_default().push(place);
            }
        }
    }
    println!("{} MiB of {pid} were searched", searched >> 20);
    assert!(searched > 1 << 20, "only {searched} bytes of memory could be read");
    found
}

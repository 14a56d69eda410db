//! Replays the seeds, among which is everything that the fuzzer ever found.

use std::path::Path;

#[test]
fn every_seed_keeps_the_promises() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (name, target) in fuzz::TARGETS {
        let seeds = fuzz::seeds(&root, name).unwrap();
        assert!(seeds.len() >= 3, "`{name}` has {} seeds", seeds.len());
        for (file, bytes) in seeds {
            eprintln!("{name}: {}", file.display());
            target(&bytes);
            // A file that is cut short is the commonest bad one.
            (0..bytes.len().min(64)).for_each(|length| target(&bytes[..length]));
        }
    }
}

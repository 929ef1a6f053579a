//! What fuzzing starts from, and what it once found: fed to the readers every time. `FLOTT_WRITE_FIXTURES=1` writes the seeds anew.

use std::fs;
use std::path::PathBuf;

use flott_core::encoding::to_vec;
use flott_core::key_group::KeyGroupRange;
use flott_core::schema::Type;
use flott_state::format::{CheckpointMetadata, StateFileReader};
use xxhash_rust::xxh3::xxh3_64;

/// What the target `state_file` does.
fn read_state_file(bytes: &[u8]) -> bool {
    let Ok(reader) = StateFileReader::of_bytes(bytes.to_vec(), "fuzzed bytes") else { return false };
    let all = KeyGroupRange { start: 0, end: 1 << 15 };
    reader.operators().all(|operator| reader.operator(operator, all).is_ok()) && reader.verify().is_ok()
}

/// What the target `metadata` does.
fn read_metadata(bytes: &[u8]) -> bool {
    CheckpointMetadata::from_bytes(bytes).is_ok()
}

fn directory(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name)
}

fn fixture(name: &str) -> Vec<u8> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshot-v1");
    fs::read(directory.join(name)).unwrap()
}

/// A file around chunks and a body that may say anything; its checksum is right.
fn file(magic: &[u8; 8], chunks: &[u8], body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u64).to_le_bytes();
    [magic, &1_u32.to_le_bytes()[..], chunks, body, &len, &xxh3_64(body).to_le_bytes(), magic].concat()
}

type Chunk = (u32, (u32, u32, u32), u64, u64, u64);
/// A type by name and schema.
type Of = (&'static str, Vec<Type>);
type Keyed<'a> = ((&'a str, u32, bool, [Of; 3]), u32);
type Section<'a> = (u128, Vec<Keyed<'a>>, Vec<(&'a str, u32, Of)>);

fn state_file(section: u32, state: u32, group: u32, count: u64, len: u64) -> Vec<u8> {
    state_file_of(0, 0, (section, state, group, count, len))
}

/// A file with one chunk of this kind, of a state with this extent.
fn state_file_of(extent: u32, kind: u32, chunk: (u32, u32, u32, u64, u64)) -> Vec<u8> {
    let (section, state, group, count, len) = chunk;
    let types = ["K", "()", "V"].map(|name| (name, vec![Type::U8]));
    let sections: Vec<Section<'_>> = vec![(1, vec![(("sum", 0, false, types), extent)], vec![])];
    let bytes = [5; 16];
    let chunks: Vec<Chunk> = vec![(section, (kind, state, group), count, len, xxh3_64(&bytes))];
    file(b"FLTSTATE", &bytes, &to_vec(&(sections, chunks)).unwrap())
}

/// Seeds with what each is of, and whether it can be read.
fn state_files() -> Vec<(&'static str, Vec<u8>, bool)> {
    let whole = fixture("1-1-0000000000005a17");
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = whole.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let trailer = whole.len() - 24;
    vec![
        ("whole", whole.clone(), true),
        ("one-chunk", state_file(0, 0, 3, 2, 16), true),
        ("removed-keys", state_file_of(1, 2, (0, 0, 3, 2, 16)), true),
        ("removed-from-a-whole", state_file_of(0, 2, (0, 0, 3, 2, 16)), false),
        ("more-removed-than-bytes", state_file_of(1, 2, (0, 0, 3, u64::MAX, 16)), false),
        ("unknown-extent", state_file_of(2, 0, (0, 0, 3, 2, 16)), false),
        ("unknown-kind", state_file_of(0, 3, (0, 0, 3, 2, 16)), false),
        ("cut", whole[..whole.len() / 2].to_vec(), false),
        ("header-only", whole[..12].to_vec(), false),
        ("later-version", with(8, &[2]), false),
        ("body-of-all-there-is", with(trailer, &u64::MAX.to_le_bytes()), false),
        ("body-longer-than-file", with(trailer, &(whole.len() as u64).to_le_bytes()), false),
        ("unlisted-operator", state_file(1, 0, 3, 2, 16), false),
        ("unlisted-state", state_file(0, 1, 3, 2, 16), false),
        ("no-such-group", state_file(0, 0, 1 << 15, 2, 16), false),
        ("more-entries-than-bytes", state_file(0, 0, 3, u64::MAX, 16), false),
        ("chunk-longer-than-file", state_file(0, 0, 3, 2, u64::MAX), false),
        ("chunk-shorter-than-room", state_file(0, 0, 3, 2, 15), false),
        ("endless-sections", file(b"FLTSTATE", b"", &[0xff; 8]), false),
        ("endless-chunks", file(b"FLTSTATE", b"", &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), false),
    ]
}

fn metadata_files() -> Vec<(&'static str, Vec<u8>, bool)> {
    let whole = fixture("_metadata");
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    vec![
        ("whole", whole.clone(), true),
        ("cut", whole[..whole.len() / 2].to_vec(), false),
        ("flipped", flipped, false),
        ("empty-body", file(b"FLTSNAPS", b"", b""), false),
        ("state-file", fixture("1-1-0000000000005a17"), false),
        ("chunks-in-front", file(b"FLTSNAPS", b"chunk", b"body"), false),
        ("endless", file(b"FLTSNAPS", b"", &[0xff; 120]), false),
    ]
}

fn run(name: &str, seeds: Vec<(&'static str, Vec<u8>, bool)>, read: fn(&[u8]) -> bool) {
    let directory = directory(name);
    for (name, bytes, is_readable) in &seeds {
        if std::env::var_os("FLOTT_WRITE_FIXTURES").is_some() {
            fs::write(directory.join(name), bytes).unwrap();
        }
        assert_eq!(fs::read(directory.join(name)).unwrap(), *bytes, "{name}");
        assert_eq!(read(bytes), *is_readable, "{name}");
    }
    let mut files = 0;
    for entry in fs::read_dir(&directory).unwrap() {
        read(&fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= seeds.len());
}

#[test]
fn state_files_of_the_corpus_end_in_state_or_an_error() {
    run("state_file", state_files(), read_state_file);
}

#[test]
fn metadata_of_the_corpus_ends_in_metadata_or_an_error() {
    run("metadata", metadata_files(), read_metadata);
}

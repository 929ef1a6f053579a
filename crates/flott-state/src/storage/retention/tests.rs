//! The rule by itself, and jobs that live by it.

mod life;

use proptest::prelude::*;

use super::*;

fn paths(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn kept(checkpoint: u64, owner: SnapshotOwner, files: Option<&[&str]>) -> KeptCheckpoint {
    KeptCheckpoint { directory: checkpoint_directory(checkpoint), owner, files: files.map(paths) }
}

const FILES: [&str; 9] = [
    "chk-1/_metadata",
    "chk-1/0-0-ab",
    "chk-2/_metadata",
    "chk-2/0-0-ab.3.tmp",
    "shared/1-0-0-ab",
    "shared/2-0-0-ab",
    "shared/notes",
    "taskowned/2-x",
    "README",
];

#[test]
fn only_what_checkpoints_have_written_is_ever_deleted() {
    assert_eq!(
        deletable(FILES, &[], &[]),
        [
            "chk-1/_metadata",
            "chk-2/_metadata",
            "chk-1/0-0-ab",
            "chk-2/0-0-ab.3.tmp",
            "shared/1-0-0-ab",
            "shared/2-0-0-ab"
        ]
    );
}

#[test]
fn what_a_kept_checkpoint_refers_to_stays() {
    let refers = kept(2, SnapshotOwner::Job, Some(&["chk-2/_metadata", "shared/1-0-0-ab"]));
    assert_eq!(
        deletable(FILES, &[refers], &[]),
        ["chk-1/_metadata", "chk-1/0-0-ab", "chk-2/0-0-ab.3.tmp", "shared/2-0-0-ab"]
    );
}

#[test]
fn everything_in_the_directory_of_a_users_checkpoint_stays() {
    let users = kept(2, SnapshotOwner::User, Some(&["chk-2/_metadata"]));
    let deleted = deletable(FILES, &[users], &[]);
    assert_eq!(deleted, ["chk-1/_metadata", "chk-1/0-0-ab", "shared/1-0-0-ab", "shared/2-0-0-ab"]);
}

#[test]
fn nothing_shared_is_deleted_while_it_is_not_known_what_a_checkpoint_refers_to() {
    let damaged = kept(2, SnapshotOwner::Job, None);
    assert_eq!(deletable(FILES, &[damaged], &[]), ["chk-1/_metadata", "chk-1/0-0-ab"]);
}

#[test]
fn what_a_checkpoint_under_way_writes_or_may_refer_to_stays() {
    let pending = PendingCheckpoint { checkpoint: 2, base: paths(&["shared/1-0-0-ab"]) };
    assert_eq!(deletable(FILES, &[], &[pending]), ["chk-1/_metadata", "chk-1/0-0-ab"]);
}

fn path() -> impl Strategy<Value = String> {
    let checkpoint = 1..6_u64;
    prop_oneof![
        (checkpoint.clone(), "[a-c]").prop_map(|(checkpoint, name)| format!("chk-{checkpoint}/{name}")),
        checkpoint.clone().prop_map(|checkpoint| format!("chk-{checkpoint}/_metadata")),
        (checkpoint, "[a-c]").prop_map(|(checkpoint, name)| format!("shared/{checkpoint}-{name}")),
        "taskowned/[a-c]",
        "[a-c]",
    ]
}

fn path_set(most: usize) -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set(path(), 0..most)
}

proptest! {
    /// Both halves of the rule, stated apart from how it is computed.
    #[test]
    fn a_file_is_deleted_if_and_only_if_nothing_reaches_it(
        files in path_set(30),
        jobs in prop::collection::vec((1..6_u64, path_set(8)), 0..3),
        users in prop::collection::vec((1..6_u64, path_set(8)), 0..2),
        under_way in prop::collection::vec((1..6_u64, path_set(8)), 0..2),
    ) {
        let with = |owner, all: &[(u64, BTreeSet<String>)]| {
            all.iter()
                .map(|(checkpoint, files)| KeptCheckpoint { directory: checkpoint_directory(*checkpoint), owner, files: Some(files.clone()) })
                .collect::<Vec<_>>()
        };
        let kept = [with(SnapshotOwner::Job, &jobs), with(SnapshotOwner::User, &users)].concat();
        let pending: Vec<_> = under_way
            .iter()
            .map(|(checkpoint, base)| PendingCheckpoint { checkpoint: *checkpoint, base: base.clone() })
            .collect();
        let deleted = deletable(files.iter().map(String::as_str), &kept, &pending);
        for file in &files {
            let reached = kept.iter().any(|kept| kept.files.iter().any(|files| files.contains(file)))
                || users.iter().any(|(checkpoint, _)| file.starts_with(&format!("chk-{checkpoint}/")))
                || under_way.iter().any(|(checkpoint, base)| {
                    base.contains(file)
                        || file.starts_with(&format!("chk-{checkpoint}/"))
                        || file.starts_with(&format!("shared/{checkpoint}-"))
                });
            let ours = file.starts_with("chk-") || file.starts_with("shared/");
            prop_assert_eq!(deleted.contains(&file.as_str()), ours && !reached, "{}", file);
        }
        let first_other = deleted.iter().position(|file| !file.ends_with("_metadata")).unwrap_or(deleted.len());
        prop_assert!(deleted[first_other..].iter().all(|file| !file.ends_with("_metadata")));
    }
}

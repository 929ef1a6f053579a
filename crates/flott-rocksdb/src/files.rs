//! An instance as files: for checkpoints, and opened from those of checkpoints.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use flott_core::key_group::KeyGroupRange;
use flott_state::{
    BackendScope, StateError, StateErrorKind,
    disk::{
        ByteScan, LocalFiles, StoreImage,
        files::{Inherited, LocalFile, TemporaryDirectory},
    },
    format::StoredBytes,
};
use rocksdb::{Options, SstFileWriter, WriteOptions, checkpoint::Checkpoint};

use crate::{
    EmbeddedRocksDbStateBackend,
    columns::{Columns, state_of},
    directory::beside,
    error::{directory_failed, failed},
    memory::Share,
    options::RocksDbOptions,
    scan::Scan,
    store::{Db, Instance, RocksDbStore},
};

/// What table files are called.
const TABLE: &str = ".sst";

/// Files that are made for other instances have about this size.
const FILE_BYTES: u64 = 64 << 20;

/// Makes files of all that an instance holds. What is in memory only is written for it; all else is a second name of what is there.
pub(crate) fn local_files(
    instance: &Instance,
    key_groups: KeyGroupRange,
    inherited: Option<Arc<Inherited>>,
) -> Result<LocalFiles, StateError> {
    let directory = beside(instance.path());
    let made =
        Checkpoint::new(&instance.db).and_then(|checkpoint| checkpoint.create_checkpoint(directory.path()));
    made.map_err(|error| failed("make a checkpoint", instance.path(), &error))?;
    let entries = fs::read_dir(directory.path()).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| directory_failed(directory.path(), &error))?;
    let mut files: Vec<_> = entries
        .iter()
        .filter_map(|entry| entry.file_name().into_string().ok())
        // Options are those of the job that opens the files.
        .filter(|name| !name.starts_with("OPTIONS"))
        .map(|name| LocalFile { is_lasting: name.ends_with(TABLE), name })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let (backend, directory) = (EmbeddedRocksDbStateBackend::NAME.to_owned(), Arc::new(directory));
    Ok(LocalFiles { backend, key_groups, directory, files, inherited })
}

/// Opens an instance in an empty directory with what those of earlier subtasks held of the key groups of this one. It goes on from the files of the one that
/// has most of these; the others' entries are copied.
pub(crate) fn open_from(
    directory: TemporaryDirectory,
    options: RocksDbOptions,
    share: Share,
    scope: &BackendScope,
    images: &[StoreImage],
) -> Result<RocksDbStore, StateError> {
    let own = scope.key_groups;
    let common = |image: &StoreImage| common(image.files.key_groups, own);
    let largest = images.iter().max_by_key(|image| common(image).len());
    let Some(largest) = largest else { return RocksDbStore::open(directory, options, share, own) };
    download(largest, directory.path())?;
    let (instance, columns) = open(directory, &options, share)?;
    if common(largest) != largest.files.key_groups {
        clip(&instance, &columns, common(largest))?;
    }
    let store = RocksDbStore::of(instance, columns, options, own, Some(Arc::new(inherited(largest))));
    for image in images.iter().filter(|image| !std::ptr::eq(*image, largest)) {
        copy(&store, image, common(image))?;
    }
    Ok(store)
}

fn common(a: KeyGroupRange, b: KeyGroupRange) -> KeyGroupRange {
    let start = a.start.max(b.start);
    KeyGroupRange { start, end: a.end.min(b.end).max(start) }
}

/// The lasting files of an image.
fn inherited(image: &StoreImage) -> Inherited {
    let lasting = image.files.files.iter().filter(|file| file.name.ends_with(TABLE));
    let stored = lasting.filter_map(|file| match &file.content {
        StoredBytes::File(stored) => Some((file.name.clone(), stored.clone())),
        StoredBytes::Inline(_) => None,
    });
    let files: BTreeMap<_, _> = stored.collect();
    Inherited { root: image.root.clone(), checkpoint: image.files.checkpoint, files }
}

fn download(image: &StoreImage, into: &Path) -> Result<(), StateError> {
    if image.files.backend != EmbeddedRocksDbStateBackend::NAME {
        let (written, asked) = (image.files.backend.clone(), EmbeddedRocksDbStateBackend::NAME.to_owned());
        return Err(StateErrorKind::ForeignFiles { written, asked }.into());
    }
    image.download(into).map_err(|error| {
        let (doing, place) = ("restore its files".to_owned(), into.display().to_string());
        StateErrorKind::Store { doing, place, reason: error.to_string() }.into()
    })
}

/// Opens the database that is in a directory.
fn open(
    directory: TemporaryDirectory,
    options: &RocksDbOptions,
    share: Share,
) -> Result<(Instance, Columns), StateError> {
    let path = directory.path();
    let failed = |error: rocksdb::Error| failed("open the files of a checkpoint", path, &error);
    let mut of_database = options.of_database(&share.0);
    of_database.set_error_if_exists(false);
    let names = Db::list_cf(&of_database, path).map_err(failed)?;
    let (columns, opened) = Columns::of_files(names, options, &share.0);
    let db = Db::open_cf_with_opts(&of_database, path, opened).map_err(failed)?;
    Ok((Instance { db, share, directory }, columns))
}

/// What keys of a key group and all behind it are not less than.
fn bound(group: u32) -> Vec<u8> {
    // There are at most 32,768 groups, so that the bound of their end fits, too.
    (group as u16).to_be_bytes().to_vec()
}

/// Drops what is not of a range of key groups: whole files where that is possible.
fn clip(instance: &Instance, columns: &Columns, range: KeyGroupRange) -> Result<(), StateError> {
    let failed = |error: rocksdb::Error| failed("drop what others own", instance.path(), &error);
    let mut writes = WriteOptions::default();
    writes.disable_wal(true);
    let outside = [(bound(0), bound(range.start)), (bound(range.end), vec![u8::MAX; 3])];
    for name in columns.names() {
        let column = instance.column(name)?;
        for (from, to) in outside.iter().filter(|(from, to)| from < to) {
            instance.db.delete_file_in_range_cf(&column, from, to).map_err(failed)?;
            instance.db.delete_range_cf_opt(&column, from, to, &writes).map_err(failed)?;
        }
    }
    Ok(())
}

/// Adds what an image has of a range of key groups.
fn copy(store: &RocksDbStore, image: &StoreImage, range: KeyGroupRange) -> Result<(), StateError> {
    let directory = beside(store.instance.path());
    fs::create_dir(directory.path()).map_err(|error| directory_failed(directory.path(), &error))?;
    download(image, directory.path())?;
    let share = Share::of(Arc::clone(&store.instance.share.0));
    let (from, columns) = open(directory, &store.options, share)?;
    let from = Arc::new(from);
    for name in columns.names() {
        let Some(state) = state_of(name) else { continue };
        let to = store.name_for(state)?;
        let entries = Scan::between(&from, name, &bound(range.start), bound(range.end))?;
        ingest(&store.instance, &to, &store.options, entries)?;
    }
    Ok(())
}

/// Adds entries in order that a column does not have yet.
fn ingest(
    to: &Instance,
    column: &str,
    options: &RocksDbOptions,
    mut entries: Scan,
) -> Result<(), StateError> {
    let failed = |error: rocksdb::Error| failed("add files", to.path(), &error);
    let of_column: Options = options.of_column(&to.share.0);
    let directory = beside(to.path());
    fs::create_dir(directory.path()).map_err(|error| directory_failed(directory.path(), &error))?;
    let mut paths = Vec::new();
    let mut next = entries.next()?;
    while next.is_some() {
        let path = directory.path().join(format!("{}{TABLE}", paths.len()));
        let mut writer = SstFileWriter::create(&of_column);
        writer.open(&path).map_err(failed)?;
        while let Some((key, value)) = next {
            writer.put(key, value).map_err(failed)?;
            next = entries.next()?;
            if writer.file_size() >= FILE_BYTES {
                break;
            }
        }
        writer.finish().map_err(failed)?;
        paths.push(path);
    }
    if paths.is_empty() {
        return Ok(());
    }
    let mut how = rocksdb::IngestExternalFileOptions::default();
    how.set_move_files(true);
    to.db.ingest_external_file_cf_opts(&to.column(column)?, &how, paths).map_err(failed)
}

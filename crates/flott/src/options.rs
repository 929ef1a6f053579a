//! The command line that programs share.

use std::path::{Path, PathBuf};

use flott_core::config::{AnyOption, Configuration, keys};

use crate::error::Error;

/// Options of every flott program, to be flattened into its own:
///
/// ```
/// #[derive(clap::Parser)]
/// struct Options {
///     #[command(flatten)]
///     job: flott::JobOptions,
/// }
/// ```
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Job options")]
pub struct JobOptions {
    /// Sets a configuration key, such as `-D parallelism.default=4`; may be repeated
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    pub dynamic: Vec<String>,

    /// Reads configuration from a YAML file with Flink's keys; -D wins over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Parallelism of operators that set none [default: the number of cores]
    #[arg(short, long, value_name = "N")]
    pub parallelism: Option<u32>,

    /// Takes a checkpoint every so many milliseconds
    #[arg(long, value_name = "MS")]
    pub checkpoint_interval: Option<u64>,

    /// Lets the barriers of checkpoints overtake records that wait
    #[arg(long)]
    pub unaligned_checkpoints: bool,

    /// Keeps checkpoints in this directory: a path or URL [default: in memory, gone with the process]
    #[arg(long, value_name = "URL")]
    pub checkpoint_dir: Option<String>,

    /// Keeps savepoints in this directory; SIGTERM and Ctrl-C then stop the job with one
    #[arg(long, value_name = "URL")]
    pub savepoint_dir: Option<String>,

    /// Starts from a checkpoint or savepoint: its path, or the latest of the checkpoint directory
    #[arg(long, value_name = "latest|PATH")]
    pub from_checkpoint: Option<String>,

    /// Drops the state of operators that the program does not have any more
    #[arg(long)]
    pub allow_non_restored_state: bool,

    /// Shows nothing on standard error while the job runs
    #[arg(short, long)]
    pub quiet: bool,
}

impl JobOptions {
    /// The configuration that the options make.
    ///
    /// # Errors
    /// When a key is unknown, a value is invalid or the file can't be read.
    pub fn configuration(&self) -> Result<Configuration, Error> {
        let mut configuration = Configuration::new();
        if let Some(path) = &self.config {
            load_file(&mut configuration, path)?;
        }
        for setting in &self.dynamic {
            configuration.set_dynamic(setting)?;
        }
        if let Some(parallelism) = self.parallelism {
            configuration.set_dynamic(&format!("parallelism.default={parallelism}"))?;
        }
        let interval = self.checkpoint_interval.map(|ms| format!("{ms} ms"));
        let ignore = self.allow_non_restored_state.then(|| "true".to_owned());
        let unaligned = self.unaligned_checkpoints.then(|| "true".to_owned());
        let options: [(&dyn AnyOption, &Option<String>); 6] = [
            (&keys::CHECKPOINTING_INTERVAL, &interval),
            (&keys::UNALIGNED_CHECKPOINTS, &unaligned),
            (&keys::CHECKPOINT_DIRECTORY, &self.checkpoint_dir),
            (&keys::SAVEPOINT_DIRECTORY, &self.savepoint_dir),
            (&keys::RESTORE_PATH, &self.from_checkpoint),
            (&keys::IGNORE_UNCLAIMED_STATE, &ignore),
        ];
        for (option, value) in options {
            if let Some(value) = value {
                configuration.set_dynamic(&format!("{}={value}", option.key()))?;
            }
        }
        Ok(configuration)
    }
}

/// What `main` returns for the result of a program: success, or failure after a line on standard error that says why.
///
/// ```no_run
/// # fn run() -> Result<(), flott::Error> { Ok(()) }
/// fn main() -> std::process::ExitCode {
///     flott::exit_code(run())
/// }
/// ```
pub fn exit_code<E: std::fmt::Display>(result: Result<(), E>) -> std::process::ExitCode {
    let Err(error) = result else { return std::process::ExitCode::SUCCESS };
    eprintln!("error: {error}");
    std::process::ExitCode::FAILURE
}

pub(crate) fn load_file(configuration: &mut Configuration, path: &Path) -> Result<(), Error> {
    let text =
        std::fs::read_to_string(path).map_err(|cause| Error::ConfigFile { path: path.to_owned(), cause })?;
    configuration.load_file_text(&path.display().to_string(), &text)?;
    Ok(())
}

//! What all functions have in common around their records, written once.

/// The methods of a function's life, with defaults that do nothing: `open` gets `$context`; `finish` is there for
/// functions that emit through a collector of `$out`.
macro_rules! life_cycle {
    (open($context:ty)) => {
        /// Called on a first start and on each restore, before `open`: the place to obtain operator state and to read
        /// what was restored (Flink: `CheckpointedFunction.initializeState`).
        ///
        /// # Errors
        /// An error of any method fails the job.
        fn initialize_state(&mut self, _context: &mut FunctionInitializationContext<'_>) -> FnResult {
            Ok(())
        }

        /// Called once before the first record.
        ///
        /// # Errors
        /// An error fails the job.
        fn open(&mut self, _context: $context) -> FnResult {
            Ok(())
        }

        /// Called at each checkpoint, between two records: the last chance to write what is in fields to operator
        /// state. What the states hold afterwards is in the checkpoint (Flink: `CheckpointedFunction.snapshotState`).
        ///
        /// # Errors
        /// An error fails the checkpoint.
        fn snapshot_state(&mut self, _context: &mut FunctionSnapshotContext<'_>) -> FnResult {
            Ok(())
        }

        /// A checkpoint that holds the function's state is complete, and so are all before it: what depends on it can be
        /// let out of the job now (Flink: `CheckpointListener.notifyCheckpointComplete`). Best effort: a notice may not come,
        /// or come after the function has started again, so what must not be lost belongs into state.
        ///
        /// # Errors
        /// An error fails the task.
        fn notify_checkpoint_complete(&mut self, _checkpoint_id: u64) -> FnResult {
            Ok(())
        }

        /// A checkpoint was given up; what its snapshot holds will be in a later one (Flink:
        /// `CheckpointListener.notifyCheckpointAborted`). Best effort.
        ///
        /// # Errors
        /// An error fails the task.
        fn notify_checkpoint_aborted(&mut self, _checkpoint_id: u64) -> FnResult {
            Ok(())
        }

        /// Called once at the end, also after a failure.
        ///
        /// # Errors
        /// An error fails the job if it has not failed before.
        fn close(&mut self) -> FnResult {
            Ok(())
        }
    };
    (open($context:ty), finish($out:ty)) => {
        crate::function::life_cycle::life_cycle!(open($context));

        /// The input has ended normally, and all event-time timers have fired; last chance to emit. The records have no
        /// timestamp.
        ///
        /// # Errors
        /// An error fails the job.
        fn finish(&mut self, _out: &mut Collector<'_, $out>) -> FnResult {
            Ok(())
        }
    };
}

/// Hands the life of the function `$this` on to `$to`, which is of type `$function` as an implementor of `$trait`: the same
/// value, or a field of it.
macro_rules! delegate_life_cycle {
    (|$this:ident| $to:expr; $function:ty as $trait:ty, open($context:ty) $(, finish($out:ty))?) => {
        fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
            let $this = self;
            <$function as $trait>::initialize_state($to, context)
        }

        fn open(&mut self, context: $context) -> FnResult {
            let $this = self;
            <$function as $trait>::open($to, context)
        }

        fn snapshot_state(&mut self, context: &mut FunctionSnapshotContext<'_>) -> FnResult {
            let $this = self;
            <$function as $trait>::snapshot_state($to, context)
        }

        fn notify_checkpoint_complete(&mut self, checkpoint_id: u64) -> FnResult {
            let $this = self;
            <$function as $trait>::notify_checkpoint_complete($to, checkpoint_id)
        }

        fn notify_checkpoint_aborted(&mut self, checkpoint_id: u64) -> FnResult {
            let $this = self;
            <$function as $trait>::notify_checkpoint_aborted($to, checkpoint_id)
        }

        $(
            fn finish(&mut self, out: &mut Collector<'_, $out>) -> FnResult {
                let $this = self;
                <$function as $trait>::finish($to, out)
            }
        )?

        fn close(&mut self) -> FnResult {
            let $this = self;
            <$function as $trait>::close($to)
        }
    };
}

/// Lets an operator tell its `function` what has become of checkpoints.
macro_rules! notify_function {
    () => {
        fn on_checkpoint_complete(
            &mut self,
            checkpoint_id: u64,
            _out: &mut flott_runtime::operator::Output<Self::Out>,
        ) -> FnResult {
            self.function.notify_checkpoint_complete(checkpoint_id)
        }

        fn on_checkpoint_aborted(&mut self, checkpoint_id: u64) -> FnResult {
            self.function.notify_checkpoint_aborted(checkpoint_id)
        }
    };
}

pub(crate) use {delegate_life_cycle, life_cycle, notify_function};

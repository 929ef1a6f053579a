//! A graph together with its code: for each node and edge the factory that builds it, with the types that the
//! plain graph has forgotten.

use std::any::Any;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use flott_core::Data;
use flott_core::watermark::{WatermarkAlignment, WatermarkStrategy};
use flott_state::OperatorSnapshot;

use crate::error::{BoxError, ChainError, ChainResult, FnResult};
use crate::exchange::{
    Gate, InlineExchange, Overtaking, Partitioner, Partitioning, Receiver, RestoredExchange, Router,
    RouterPlan, Sender, channel, sized,
};
use crate::graph::StreamGraph;
use crate::metrics::Gauge;
use crate::operator::{
    AnyOutput, Input, Operator, OperatorNode, OperatorSetup, Output, SideOutputs, TwoInputOperator,
    two_input_node,
};
use crate::seam::Signal;
use crate::sink::{Sink, SinkOperator};
use crate::source::{AnyEnumerator, Source, SourceHead, TypedEnumerator, read_enumerator_state, read_splits};
use crate::task::{Head, TaskShared};

/// A program that can be run.
#[derive(Clone)]
pub struct Program {
    /// The job's name.
    pub name: String,
    /// The program as plain data.
    pub graph: StreamGraph,
    /// The code of each node, by id.
    pub operators: Vec<Arc<dyn OperatorFactory>>,
    /// The code of each edge, by id.
    pub edges: Vec<Arc<dyn EdgeFactory>>,
}

/// Builds the operator of a node, on the thread of the task that will run it.
pub trait OperatorFactory: Send + Sync {
    /// Builds the operator before its outputs.
    ///
    /// # Errors
    /// When the operator can't be set up.
    fn build(&self, setup: OperatorSetup, outputs: ErasedOutputs) -> ChainResult<Built>;

    /// For a source: how far it may run ahead of others, if it waits for any.
    fn alignment(&self) -> Option<&WatermarkAlignment> {
        None
    }

    /// For a source or sink: reads what a snapshot holds of a subtask, and of the enumerator, without creating what reaches
    /// outside. `None` for others, of which only the operator itself knows its state.
    #[doc(hidden)]
    fn read_state(&self, _state: &OperatorSnapshot, _enumerator: Option<&[u8]>) -> Option<FnResult> {
        None
    }

    /// For a source: creates its enumerator, from the encoded state of an earlier one if there is any.
    #[doc(hidden)]
    fn enumerator(&self, _restored: Option<&[u8]>) -> Option<FnResult<ErasedEnumerator>> {
        None
    }
}

/// An enumerator whose types are forgotten.
pub struct ErasedEnumerator(pub(crate) Box<dyn AnyEnumerator>);

/// What an [`OperatorFactory`] has built.
pub enum Built {
    /// An operator that is fed by another.
    Input(ErasedInput),
    /// An operator that is fed by two others.
    TwoInputs([ErasedInput; 2]),
    /// A source, which drives its chain itself.
    Head(ErasedHead),
}

/// The head of a task.
pub struct ErasedHead(pub(crate) Box<dyn Head>);

/// An [`Input`] whose record type is forgotten.
pub struct ErasedInput(Box<dyn Any>);

impl ErasedInput {
    /// Forgets the type.
    pub fn new<T: 'static>(input: Box<dyn Input<T>>) -> Self {
        Self(Box::new(input))
    }

    /// The input with its type.
    ///
    /// # Errors
    /// When it takes records of another type, which the API rules out.
    pub(crate) fn restore<T: 'static>(self, operator: &str) -> ChainResult<Box<dyn Input<T>>> {
        restore(self.0, operator)
    }
}

/// Gives a value its type back. The API makes sure that it is the right one; should it not be, the job fails.
fn restore<T: 'static>(value: Box<dyn Any>, operator: &str) -> ChainResult<T> {
    value.downcast::<T>().map(|value| *value).map_err(|_| unfit::<T>(operator))
}

fn unfit<T>(operator: &str) -> ChainError {
    let cause = format!(
        "the graph connects a stream of another type where {} is expected",
        std::any::type_name::<T>()
    );
    ChainError::Failed { operator: operator.to_owned(), cause: cause.into() }
}

fn in_flight_failed(operator: &str, cause: &BoxError) -> ChainError {
    let cause = format!("the records that were in flight before it can't be restored: {cause}");
    ChainError::Failed { operator: operator.to_owned(), cause: cause.into() }
}

/// What an operator emits to, its types forgotten.
#[derive(Default)]
pub struct ErasedOutputs {
    pub(crate) main: Vec<ErasedInput>,
    pub(crate) side: Vec<(String, Box<dyn AnyOutput>)>,
}

impl ErasedOutputs {
    /// The output with its type.
    ///
    /// # Errors
    /// When the types don't fit, which the API rules out.
    pub fn typed<T: Clone + 'static>(self, operator: &str) -> ChainResult<Output<T>> {
        let targets: ChainResult<Vec<_>> =
            self.main.into_iter().map(|input| input.restore(operator)).collect();
        Ok(Output::new(targets?, SideOutputs::new(self.side)))
    }
}

/// A value of which each subtask gets a clone: a user's function.
#[derive(Debug)]
pub struct Prototype<F>(Mutex<F>);

impl<F: Clone> Prototype<F> {
    /// Wraps the original.
    pub fn new(original: F) -> Self {
        Self(Mutex::new(original))
    }

    /// A clone for one subtask.
    pub fn get(&self) -> F {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct FromFunction<F>(F);

impl<F, O> OperatorFactory for FromFunction<F>
where
    F: Fn(&OperatorSetup) -> FnResult<O> + Send + Sync,
    O: Operator,
{
    fn build(&self, setup: OperatorSetup, outputs: ErasedOutputs) -> ChainResult<Built> {
        let output = outputs.typed::<O::Out>(&setup.name)?;
        let operator = make(&self.0, &setup)?;
        let node: Box<dyn Input<O::In>> = Box::new(OperatorNode::new(operator, output, setup));
        Ok(Built::Input(ErasedInput::new(node)))
    }
}

/// The factory of an operator that `make` creates for each subtask.
pub fn operator_factory<F, O>(make: F) -> Arc<dyn OperatorFactory>
where
    F: Fn(&OperatorSetup) -> FnResult<O> + Send + Sync + 'static,
    O: Operator,
{
    Arc::new(FromFunction(make))
}

struct FromTwoInputFunction<F>(F);

impl<F, O> OperatorFactory for FromTwoInputFunction<F>
where
    F: Fn(&OperatorSetup) -> FnResult<O> + Send + Sync,
    O: TwoInputOperator,
{
    fn build(&self, setup: OperatorSetup, outputs: ErasedOutputs) -> ChainResult<Built> {
        let output = outputs.typed::<O::Out>(&setup.name)?;
        let operator = make(&self.0, &setup)?;
        let (first, second) = two_input_node(operator, output, setup);
        Ok(Built::TwoInputs([ErasedInput::new(first), ErasedInput::new(second)]))
    }
}

/// The factory of an operator with two inputs that `make` creates for each subtask. Its edges say which input they
/// lead to ([`StreamEdge::input`](crate::graph::StreamEdge::input)).
pub fn two_input_factory<F, O>(make: F) -> Arc<dyn OperatorFactory>
where
    F: Fn(&OperatorSetup) -> FnResult<O> + Send + Sync + 'static,
    O: TwoInputOperator,
{
    Arc::new(FromTwoInputFunction(make))
}

/// Lets user code create an operator.
fn make<O>(make: impl Fn(&OperatorSetup) -> FnResult<O>, setup: &OperatorSetup) -> ChainResult<O> {
    make(setup).map_err(|cause| ChainError::Failed { operator: setup.name.to_string(), cause })
}

struct FromSource<S: Source> {
    source: S,
    strategy: WatermarkStrategy<S::Out>,
}

impl<S: Source> OperatorFactory for FromSource<S> {
    fn build(&self, setup: OperatorSetup, outputs: ErasedOutputs) -> ChainResult<Built> {
        let output = outputs.typed::<S::Out>(&setup.name)?;
        let head = SourceHead::<S::Out, S::Split>::new(&self.source, &self.strategy, output, setup)?;
        Ok(Built::Head(ErasedHead(Box::new(head))))
    }

    fn alignment(&self) -> Option<&WatermarkAlignment> {
        self.strategy.alignment()
    }

    fn read_state(&self, state: &OperatorSnapshot, enumerator: Option<&[u8]>) -> Option<FnResult> {
        let enumerator = || enumerator.map(read_enumerator_state::<S::EnumeratorState>).transpose();
        Some(read_splits::<S::Split>(state).and_then(|_| enumerator()).map(drop))
    }

    fn enumerator(&self, restored: Option<&[u8]>) -> Option<FnResult<ErasedEnumerator>> {
        let created = match restored.map(read_enumerator_state::<S::EnumeratorState>) {
            None => self.source.create_enumerator(),
            Some(Ok(state)) => self.source.restore_enumerator(state),
            Some(Err(error)) => Err(error),
        };
        Some(created.map(|enumerator| ErasedEnumerator(Box::new(TypedEnumerator(enumerator)))))
    }
}

/// The factory of a source whose records get timestamps and watermarks by `strategy`.
pub fn source_factory<S: Source>(source: S, strategy: WatermarkStrategy<S::Out>) -> Arc<dyn OperatorFactory> {
    Arc::new(FromSource { source, strategy })
}

struct FromSink<T, S> {
    sink: S,
    of: PhantomData<fn(T)>,
}

impl<T: Data, S: Sink<T>> OperatorFactory for FromSink<T, S> {
    fn build(&self, setup: OperatorSetup, outputs: ErasedOutputs) -> ChainResult<Built> {
        let output = outputs.typed::<()>(&setup.name)?;
        let operator = make(|setup: &OperatorSetup| SinkOperator::new(&self.sink, setup.clone()), &setup)?;
        let node: Box<dyn Input<T>> = Box::new(OperatorNode::new(operator, output, setup));
        Ok(Built::Input(ErasedInput::new(node)))
    }

    fn read_state(&self, state: &OperatorSnapshot, _enumerator: Option<&[u8]>) -> Option<FnResult> {
        Some(SinkOperator::read_state(&self.sink, state))
    }
}

/// The factory of a sink.
pub fn sink_factory<T: Data, S: Sink<T>>(sink: S) -> Arc<dyn OperatorFactory> {
    Arc::new(FromSink { sink, of: PhantomData })
}

/// The ends of the channels of an exchange: for each upstream and each downstream subtask its own.
pub struct ExchangeEnds {
    pub(crate) senders: Vec<Box<dyn Any + Send>>,
    pub(crate) receivers: Vec<Box<dyn Any + Send>>,
}

/// Builds the two sides of an edge.
pub trait EdgeFactory: Send + Sync {
    /// The type of the records, for messages.
    fn record_type(&self) -> &'static str;

    #[doc(hidden)]
    fn channels(&self, tasks: ErasedTasks<'_>, targets: &[Vec<u32>]) -> ExchangeEnds;

    /// Puts what was in flight into the channels of a receiving subtask.
    #[doc(hidden)]
    fn refill(
        &self,
        ends: &mut dyn Any,
        partitioning: Partitioning,
        restored: &ErasedRestored,
        operator: &str,
    ) -> ChainResult;

    #[doc(hidden)]
    fn router(
        &self,
        ends: Box<dyn Any>,
        plan: ErasedRouterPlan,
        task: Rc<TaskShared>,
    ) -> ChainResult<ErasedInput>;

    #[doc(hidden)]
    fn gate(
        &self,
        ends: Vec<Box<dyn Any>>,
        plan: ErasedGatePlan,
        target: ErasedInput,
        operator: &str,
    ) -> ChainResult<ErasedHead>;

    /// Tells those behind that nothing will come.
    #[doc(hidden)]
    fn end(&self, ends: Box<dyn Any>, operator: &str) -> ChainResult;

    #[doc(hidden)]
    fn inline(
        &self,
        name: Arc<str>,
        watermark: Gauge,
        target: ErasedInput,
        restored: Option<(Partitioning, &ErasedRestored)>,
    ) -> ChainResult<ErasedInput>;

    #[doc(hidden)]
    fn output(&self, targets: Vec<ErasedInput>, operator: &str) -> ChainResult<ErasedSide>;
}

/// A plan whose fields only the engine knows.
pub struct ErasedRouterPlan(pub(crate) RouterPlan);

/// The tasks at both sides of an exchange, and whether barriers may overtake records between them.
pub struct ErasedTasks<'a> {
    pub(crate) up: &'a [Arc<Signal>],
    pub(crate) down: &'a [Arc<Signal>],
    pub(crate) overtaking: bool,
}

/// What a gate must know, which only the engine knows.
pub struct ErasedGatePlan {
    pub(crate) watermark: Gauge,
    pub(crate) overtaking: Option<Overtaking>,
}

/// What was in flight in an exchange.
pub struct ErasedRestored(pub(crate) RestoredExchange);

/// A side output whose record type is forgotten.
pub struct ErasedSide(pub(crate) Box<dyn AnyOutput>);

struct TypedEdge<T>(Partitioner<T>);

/// The factory of an edge that carries records of type `T`.
pub fn edge_factory<T: Data>(partitioner: Partitioner<T>) -> Arc<dyn EdgeFactory> {
    Arc::new(TypedEdge(partitioner))
}

impl<T: Data> EdgeFactory for TypedEdge<T> {
    fn record_type(&self) -> &'static str {
        std::any::type_name::<T>()
    }

    fn channels(&self, tasks: ErasedTasks<'_>, targets: &[Vec<u32>]) -> ExchangeEnds {
        let ErasedTasks { up, down, overtaking } = tasks;
        let mut receivers: Vec<Vec<Receiver<T>>> = down.iter().map(|_| Vec::new()).collect();
        let mut senders: Vec<Box<dyn Any + Send>> = Vec::new();
        for (from, targets) in up.iter().zip(targets) {
            let mut own: Vec<Sender<T>> = Vec::new();
            for &to in targets {
                let (sender, receiver) =
                    channel(Arc::clone(from), Arc::clone(&down[to as usize]), overtaking);
                own.push(sender);
                receivers[to as usize].push(receiver);
            }
            senders.push(Box::new(own));
        }
        let receivers = receivers.into_iter().map(|own| Box::new(own) as Box<dyn Any + Send>).collect();
        ExchangeEnds { senders, receivers }
    }

    fn refill(
        &self,
        ends: &mut dyn Any,
        partitioning: Partitioning,
        restored: &ErasedRestored,
        operator: &str,
    ) -> ChainResult {
        let Some(receivers) = ends.downcast_mut::<Vec<Receiver<T>>>() else {
            return Err(unfit::<T>(operator));
        };
        let restored = restored.0.elements(&self.0, partitioning, receivers.len());
        let restored = restored.map_err(|cause| in_flight_failed(operator, &cause))?;
        for (receiver, elements) in receivers.iter_mut().zip(restored) {
            receiver.put_back(sized(elements));
        }
        Ok(())
    }

    fn router(
        &self,
        ends: Box<dyn Any>,
        plan: ErasedRouterPlan,
        task: Rc<TaskShared>,
    ) -> ChainResult<ErasedInput> {
        let channels = restore::<Vec<Sender<T>>>(ends, &plan.0.name)?;
        let router: Box<dyn Input<T>> = Box::new(Router::new(plan.0, self.0.clone(), channels, task));
        Ok(ErasedInput::new(router))
    }

    fn gate(
        &self,
        ends: Vec<Box<dyn Any>>,
        plan: ErasedGatePlan,
        target: ErasedInput,
        operator: &str,
    ) -> ChainResult<ErasedHead> {
        let mut channels = Vec::new();
        for end in ends {
            channels.append(&mut restore::<Vec<Receiver<T>>>(end, operator)?);
        }
        let target = target.restore::<T>(operator)?;
        let gate = Gate::new(channels, plan.watermark, target).with_overtaking(plan.overtaking);
        Ok(ErasedHead(Box::new(gate)))
    }

    fn end(&self, ends: Box<dyn Any>, operator: &str) -> ChainResult {
        restore::<Vec<Sender<T>>>(ends, operator)?.iter().for_each(Sender::end);
        Ok(())
    }

    fn inline(
        &self,
        name: Arc<str>,
        watermark: Gauge,
        target: ErasedInput,
        restored: Option<(Partitioning, &ErasedRestored)>,
    ) -> ChainResult<ErasedInput> {
        let target = target.restore::<T>(&name)?;
        let restored = restored.map(|(partitioning, it)| it.0.elements(&self.0, partitioning, 1)).transpose();
        let restored = restored.map_err(|cause| in_flight_failed(&name, &cause))?;
        let exchange = InlineExchange::new(name, self.0.clone(), watermark, target);
        let exchange = exchange.with_restored(restored.into_iter().flatten().flatten());
        let exchange: Box<dyn Input<T>> = Box::new(exchange);
        Ok(ErasedInput::new(exchange))
    }

    fn output(&self, targets: Vec<ErasedInput>, operator: &str) -> ChainResult<ErasedSide> {
        let outputs = ErasedOutputs { main: targets, side: Vec::new() };
        Ok(ErasedSide(Box::new(outputs.typed::<T>(operator)?)))
    }
}

//! The program while it is being written: nodes, edges, and the code that belongs to them.

use std::collections::HashMap;
use std::sync::Arc;

use flott_core::Data;
use flott_core::config::{ConfigError, ConfigOption, ConfigValue, Configuration};
use flott_core::seam::Clock;
use flott_runtime::exchange::{Partitioner, Partitioning};
use flott_runtime::graph::{
    ChainingStrategy, GraphDefaults, GraphError, NodeId, NodeKind, StreamEdge, StreamGraph, StreamNode,
};
use flott_runtime::program::{EdgeFactory, OperatorFactory, Program, edge_factory};
use flott_state::{BackendRegistry, StateBackend, StateError};

use crate::backends;
use crate::error::Error;

/// What is known of a node when it is added.
pub(crate) struct NewNode {
    pub(crate) kind: NodeKind,
    pub(crate) name: String,
    pub(crate) non_parallel: bool,
}

/// A place in the program, valid until the program is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) node: NodeId,
    generation: u64,
}

/// Where an edge starts and how it spreads its records.
pub(crate) struct Feed<T> {
    pub(crate) at: At,
    pub(crate) tag: Option<String>,
    pub(crate) partitioning: Option<Partitioning>,
    pub(crate) partitioner: Partitioner<T>,
}

pub(crate) struct ProgramBuilder {
    pub(crate) configuration: Configuration,
    pub(crate) backends: BackendRegistry,
    pub(crate) clock: Option<Arc<dyn Clock>>,
    pub(crate) quiet: bool,
    nodes: Vec<StreamNode>,
    edges: Vec<StreamEdge>,
    operators: Vec<Arc<dyn OperatorFactory>>,
    edge_factories: Vec<Arc<dyn EdgeFactory>>,
    side_types: HashMap<(NodeId, String), &'static str>,
    /// The side outputs of operators that can have no others.
    side_tags: HashMap<NodeId, Vec<String>>,
    generation: u64,
    // Mistakes are kept until execute(), so that the methods that make a program can be chained.
    config_error: Option<ConfigError>,
    state_error: Option<StateError>,
    graph_error: Option<GraphError>,
}

impl ProgramBuilder {
    pub(crate) fn new(configuration: Configuration) -> Self {
        Self {
            configuration,
            backends: backends::built_in(),
            clock: None,
            quiet: false,
            nodes: Vec::new(),
            edges: Vec::new(),
            operators: Vec::new(),
            edge_factories: Vec::new(),
            side_types: HashMap::new(),
            side_tags: HashMap::new(),
            generation: 0,
            config_error: None,
            state_error: None,
            graph_error: None,
        }
    }

    pub(crate) fn set<T: ConfigValue>(&mut self, option: &ConfigOption<T>, value: T) {
        if let Err(error) = self.configuration.set(option, value) {
            self.config_error.get_or_insert(error);
        }
    }

    pub(crate) fn register_backend(&mut self, backend: Arc<dyn StateBackend>) {
        if let Err(error) = self.backends.register(backend) {
            self.state_error.get_or_insert(error);
        }
    }

    /// Notes a mistake in the use of an operator.
    pub(crate) fn invalid(&mut self, operator: &str, problem: String) {
        self.graph_error.get_or_insert(GraphError::Invalid { operator: operator.to_owned(), problem });
    }

    /// The first mistake that was made.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if let Some(error) = &self.config_error {
            return Err(Error::Config(error.clone()));
        }
        if let Some(error) = &self.state_error {
            return Err(Error::State(error.clone()));
        }
        self.graph_error.clone().map_or(Ok(()), |error| Err(error.into()))
    }

    pub(crate) fn add_node(&mut self, new: NewNode, factory: Arc<dyn OperatorFactory>) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        let is_source = new.kind == NodeKind::Source;
        self.nodes.push(StreamNode {
            id,
            kind: new.kind,
            name: new.name,
            uid: None,
            parallelism: None,
            non_parallel: new.non_parallel,
            max_parallelism: None,
            chaining: if is_source { ChainingStrategy::Head } else { ChainingStrategy::Always },
            slot_sharing_group: None,
        });
        self.operators.push(factory);
        id
    }

    /// The handle of a node of the present program.
    pub(crate) fn at(&self, node: NodeId) -> At {
        At { node, generation: self.generation }
    }

    /// Adds an edge to an input of an operator: 0, or 1 for the second of an operator with two.
    pub(crate) fn add_edge<T: Data>(&mut self, feed: Feed<T>, to: NodeId, input: u32) {
        if !self.is_current(feed.at) {
            return;
        }
        let factory = edge_factory(feed.partitioner);
        if let Some(tag) = &feed.tag {
            self.check_side_tag(feed.at.node, tag);
            self.check_side_type(feed.at.node, tag, factory.record_type());
        }
        self.edges.push(StreamEdge {
            id: self.edges.len() as u32,
            from: feed.at.node,
            to,
            input,
            tag: feed.tag,
            partitioning: feed.partitioning,
        });
        self.edge_factories.push(factory);
    }

    fn is_current(&mut self, at: At) -> bool {
        let current = at.generation == self.generation;
        if !current {
            let problem = "the stream belongs to a program that was executed already: build it anew";
            self.invalid("(executed)", problem.to_owned());
        }
        current
    }

    /// Notes that an operator emits to these side outputs and can emit to no others.
    pub(crate) fn emits_only(&mut self, at: At, tags: Vec<String>) {
        self.side_tags.insert(at.node, tags);
    }

    /// A side output that can't be emitted is a mistake, and would be an empty stream for ever.
    fn check_side_tag(&mut self, node: NodeId, tag: &str) {
        let StreamNode { kind, name, .. } = &self.nodes[node.0 as usize];
        let tags = match self.side_tags.get(&node) {
            Some(tags) => tags.as_slice(),
            None if *kind == NodeKind::Source => &[],
            None => return,
        };
        if tags.iter().any(|known| known == tag) {
            return;
        }
        let known = match tags {
            [] => "it emits to none".to_owned(),
            tags => format!("only '{}'", tags.join("', '")),
        };
        let problem = format!(
            "it has no side output '{tag}', {known}: read a side output right behind the operator that emits it"
        );
        let operator = name.clone();
        self.invalid(&operator, problem);
    }

    fn check_side_type(&mut self, node: NodeId, tag: &str, record_type: &'static str) {
        let first = *self.side_types.entry((node, tag.to_owned())).or_insert(record_type);
        if first != record_type {
            let operator = self.nodes[node.0 as usize].name.clone();
            let (first, second) = (first.to_owned(), record_type.to_owned());
            let error = GraphError::SideOutputType { tag: tag.to_owned(), operator, first, second };
            self.graph_error.get_or_insert(error);
        }
    }

    /// Notes that a setting was made, or a side output asked for, on a stream that is no operator's output.
    pub(crate) fn no_operator(&mut self, at: At) {
        let name = self.nodes.get(at.node.0 as usize).map_or_else(String::new, |node| node.name.clone());
        let problem = "a uid, name, parallelism or other setting was made, or a side output was asked for, behind a \
                       union, a side output or a partitioning, which are no operators: do it right behind the \
                       operator it is for";
        self.invalid(&name, problem.to_owned());
    }

    /// Changes the settings of a node.
    pub(crate) fn change(&mut self, at: At, change: impl FnOnce(&mut StreamNode)) {
        if self.is_current(at)
            && let Some(node) = self.nodes.get_mut(at.node.0 as usize)
        {
            change(node);
        }
    }

    pub(crate) fn graph(&self, defaults: GraphDefaults) -> StreamGraph {
        StreamGraph { nodes: self.nodes.clone(), edges: self.edges.clone(), defaults }
    }

    /// Forgets the program and the mistakes in it: a new one can be written then.
    pub(crate) fn forget(&mut self) {
        self.generation += 1;
        self.side_types.clear();
        self.side_tags.clear();
        (self.nodes, self.edges) = (Vec::new(), Vec::new());
        (self.operators, self.edge_factories) = (Vec::new(), Vec::new());
        (self.config_error, self.state_error, self.graph_error) = (None, None, None);
    }

    /// Takes the program out; a new one can be written then.
    pub(crate) fn take(&mut self, name: String, defaults: GraphDefaults) -> Program {
        self.generation += 1;
        self.side_types.clear();
        self.side_tags.clear();
        let (nodes, edges) = (std::mem::take(&mut self.nodes), std::mem::take(&mut self.edges));
        Program {
            name,
            graph: StreamGraph { nodes, edges, defaults },
            operators: std::mem::take(&mut self.operators),
            edges: std::mem::take(&mut self.edge_factories),
        }
    }
}

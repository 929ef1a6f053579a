//! Rules that change while transactions flow: each transaction is judged by the rules that its subtask knows by then.
//!
//!     broadcast_rules --transactions 20000 --rules 10
//!
//! Rules are broadcast: every subtask keeps all of them. How often an account has been reported is state of its key; a rule
//! that forgives visits all accounts and clears it.

use std::process::ExitCode;

use clap::Parser;
use flott::function::{KeyedBroadcastContext, KeyedBroadcastProcessFunction, KeyedReadOnlyContext};
use flott::prelude::*;
use serde::{Deserialize, Serialize};

/// Reports transactions above a limit that changes
#[derive(Parser)]
struct Options {
    /// How many transactions to make, spread over four seconds
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    transactions: u64,

    /// How many rules to make, spread over two seconds
    #[arg(long, value_name = "N", default_value_t = 10)]
    rules: u64,

    #[command(flatten)]
    job: JobOptions,
}

#[derive(Clone, Serialize, Deserialize)]
struct Transaction {
    account: u64,
    amount: u64,
}

/// From now on amounts above `limit` are reported in this currency.
#[derive(Clone, Serialize, Deserialize)]
struct Rule {
    version: u64,
    currency: String,
    limit: u64,
    forgives: bool,
}

#[derive(Clone, Default)]
struct Judge {
    rules: BroadcastState<String, Rule>,
    reports: ValueState<u64>,
}

impl KeyedBroadcastProcessFunction<u64, Transaction, Rule, String> for Judge {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.rules = context.broadcast_state(MapStateDescriptor::new("rules"))?;
        Ok(())
    }

    fn open(&mut self, context: &mut OpenContext<'_, u64>) -> FnResult {
        self.reports = context.value_state(ValueStateDescriptor::new("reports"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        Transaction { account, amount }: Transaction,
        context: &mut KeyedReadOnlyContext<'_, u64>,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        let Some(rule) = self.rules.get(context, "euro")?.filter(|rule| amount > rule.limit).cloned() else {
            return Ok(());
        };
        let reports = self.reports.get_or_insert_with(context, || 0)?;
        *reports += 1;
        let Rule { version, limit, .. } = rule;
        out.collect(format!(
            "account {account}: {amount} is above {limit} (rule {version}, report {reports})"
        ));
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        rule: Rule,
        context: &mut KeyedBroadcastContext<'_, u64>,
        _out: &mut Collector<'_, String>,
    ) -> FnResult {
        if rule.forgives {
            let reports = self.reports;
            context.apply_to_keyed_state(reports, |_account, state| Ok(reports.clear(state)?))?;
        }
        // Subtasks may get rules in different orders; the newest version wins in all of them.
        let known = self.rules.get(context, &rule.currency)?.map_or(0, |known| known.version);
        if rule.version > known {
            self.rules.put(context, rule.currency.clone(), rule)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    flott::exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> anyhow::Result<()> {
    let env = StreamExecutionEnvironment::from_options(&options.job)?;
    env.set_name("broadcast rules");

    let rule = |index: u64| Rule {
        version: index + 1,
        currency: "euro".to_owned(),
        limit: 990 - 10 * (index % 20),
        forgives: index % 5 == 4,
    };
    let rules = GeneratorSource::new(options.rules, rule).with_rate(options.rules as f64 / 2.0);
    let rules = env
        .from_source(rules, WatermarkStrategy::no_watermarks(), "rules")
        .broadcast_with_state(MapStateDescriptor::<String, Rule>::new("rules"));

    let transaction =
        |index: u64| Transaction { account: index % 100, amount: index.wrapping_mul(7919) % 1000 };
    let transactions =
        GeneratorSource::new(options.transactions, transaction).with_rate(options.transactions as f64 / 4.0);
    env.from_source(transactions, WatermarkStrategy::no_watermarks(), "transactions")
        .key_by(|transaction| transaction.account)
        .connect_broadcast(&rules)
        .process(Judge::default())
        .name("judge")
        .uid("judge")
        .print();

    env.execute()?;
    Ok(())
}

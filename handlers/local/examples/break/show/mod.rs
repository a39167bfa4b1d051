//! The show: a day with poison, a process that is killed and started again, the day replayed, and the account of it all.

mod account;
mod day;
mod ledger;
#[cfg(test)]
mod ledger_test;
mod poison;
mod process;
mod table;
mod written;

use std::path::Path;

use anyhow::{Context, ensure};
use indicatif::ProgressBar;

pub use account::Account;
use day::Day;
use ledger::Ledger;
use process::Process;
use table::grouped;
use written::Files;

/// What is to be shown, and where.
pub struct Show<'a> {
    /// The program that is killed.
    pub binary: &'a Path,
    /// An empty directory; all that is sent and written goes there.
    pub directory: &'a Path,
    /// How many real events are sent, beside the poison.
    pub events: usize,
    /// How often the process is killed.
    pub kills: usize,
    /// Shows how far each run is.
    pub bar: &'a ProgressBar,
}

impl Show<'_> {
    /// Does it all, telling each step, and accounts for every line that was sent.
    ///
    /// # Errors
    /// It could not be shown: a file cannot be written, the program does not start, ends before it is killed, or says
    /// that it has not done all; a log holds what is no entry. Lost events are no error here: the account has them.
    pub fn run(&self, tell: &dyn Fn(String)) -> anyhow::Result<Account> {
        let day = Day::write(self.directory, self.events)?;
        let sent = day.lines.len();
        let kinds = poison::KINDS.map(|kind| kind.name).join(", ");
        let (real, poisoned) = (grouped(self.events), grouped(day.poisoned()));
        tell(format!("1. {real} real events, and {poisoned} lines of poison between them: {kinds}"));
        let mut files = Files::within(self.directory);
        let mut ledger = Ledger::new(&day);

        for number in 1..=self.kills {
            // Spread over the day: the first well behind its beginning, the last well before its end.
            let (aim, at) = (files.aim(number), sent * number / (self.kills + 2));
            let written = Process::start(self, &day, number)?.killed(&mut files, at, aim, self.bar)?;
            let ended = format!("SIGKILL as {} grew", files.name(aim));
            let entries = grouped(ledger.add(&written, ended.clone(), false)?);
            tell(format!("2. run {number}: {ended}, behind {entries} whole log entries, {} torn", written.torn));
        }
        for (step, what) in [(3, "started again, to the end"), (4, "the whole day once more")] {
            let number = self.kills + step - 2;
            let written = Process::start(self, &day, number)?.ended(&mut files, sent, self.bar)?;
            ensure!(written.torn == 0, "run {number} was not killed, and left half a line");
            let entries = grouped(ledger.add(&written, what.to_owned(), true)?);
            tell(format!("{step}. run {number}: {what}, {entries} log entries"));
        }
        tell("5. every event sent, against all logs, actions and dead letters".to_owned());
        let aside = files.set_aside().context("cannot read what was set aside")?;
        Ok(ledger.account(aside))
    }
}

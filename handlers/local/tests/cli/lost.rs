//! Nothing is lost, whatever happens: the show of `make break`, small.

use indicatif::ProgressBar;

// The show is shared, so that it cannot rot.
#[path = "../../examples/break/show/mod.rs"]
mod show;

#[test]
fn nothing_is_lost_of_a_day_with_poison_though_the_process_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let show = show::Show {
        binary: env!("CARGO_BIN_EXE_fourstroke").as_ref(),
        directory: directory.path(),
        events: 3_000,
        kills: 3,
        bar: &ProgressBar::hidden(),
    };
    let account = show.run(&|_| ()).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(account.is_well(), "{account}");
    assert_eq!((account.sent, account.lost), (3_031, 0), "{account}");
    assert_eq!(account.acted + account.passed, 3_000, "{account}");
    assert!(account.poison.iter().all(|kind| kind.sent > 0 && kind.dead_lettered == kind.sent), "{account:?}");
    assert_eq!((account.keys, account.acted > 0), (account.acted, true), "as many keys as events acted on");
    let repeated = account.actions - account.acted;
    assert!(repeated < account.acted, "the whole day was replayed, and what was marked did not act again: {account}");

    let [first, second, third, again, replayed] = &account.runs[..] else { panic!("{account}") };
    assert!([first, second, third].into_iter().all(|killed| killed.entries < 3_031), "{account}");
    assert!(first.entries >= 400, "a good part of the first batch, whose log has outcomes too: {account}");
    assert_eq!((again.entries, replayed.entries), (3_031, 3_031));
    assert_eq!((again.dead_letters, replayed.dead_letters), (31, 31));
}

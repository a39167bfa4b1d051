//! Acting once, in a process that is killed with SIGKILL, at every point of the way: nothing is lost, and what is sent twice
//! (only where that cannot be prevented) is sent under the same key with the same body. `KILL_SEEDS` says how many runs
//! there are of each point, `KILL_STORE` which store they share instead of a file for each; what lies in AWS is found by the
//! environment.

mod child;
mod clock_jumps;
mod dynamodb;
mod faketime;
mod plan;
mod points;
mod process;
#[allow(dead_code)]
#[path = "../adapters/http/server.rs"]
mod server;
mod suite;

use points::Point;

// A thread of its own for the receiver: the test waits for its processes.

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killed_before_the_intent_is_put() {
    suite::all_seeds(Point::BeforeIntent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killed_after_the_intent_is_put() {
    suite::all_seeds(Point::AfterIntent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killed_after_the_request_before_its_answer() {
    suite::all_seeds(Point::Sent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killed_after_the_answer() {
    suite::all_seeds(Point::Answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killed_in_the_middle_of_a_batch() {
    suite::all_seeds(Point::MidBatch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn killed_after_done_is_put() {
    suite::all_seeds(Point::Marked).await;
}

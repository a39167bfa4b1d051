//! Cold starts of the Lambda handler: from the start of the process to its first request for an invocation, beside a handler that
//! does nothing. `BOOTSTRAP` and `HELLO` are the binaries; `bench/lambda` builds and names them.

use std::{
    env,
    io::Read,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

const STARTS: usize = 30;

/// What is started.
struct Case {
    name: &'static str,
    binary: &'static str,
    variables: Vec<(&'static str, String)>,
}

fn main() {
    let flights = concat!(env!("CARGO_MANIFEST_DIR"), "/flights.yaml").to_owned();
    let clients = concat!(env!("CARGO_MANIFEST_DIR"), "/flights-aws-once.generated.yaml").to_owned();
    let out = tempfile::tempdir().expect("a directory");
    let sink = |name: &str| format!("file:{}/{name}.jsonl", out.path().display());
    let files = vec![
        ("PIPELINE", flights),
        ("ACTIONS", sink("rebooking")),
        ("DECISIONS", sink("decisions")),
        ("DEAD_LETTERS", sink("dead")),
    ];
    // Who is there takes connections and says nothing: none waits for an answer.
    let services = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", services.local_addr().expect("an address"));
    std::thread::spawn(move || services.incoming().collect::<Vec<_>>());
    let services = vec![("PIPELINE", clients), ("AWS_ENDPOINT_URL", endpoint)];
    let cases = [
        Case { name: "a handler that does nothing", binary: "HELLO", variables: Vec::new() },
        Case { name: "flights: tables and models from the package", binary: "BOOTSTRAP", variables: files },
        Case { name: "flights: Kinesis, DynamoDB and S3", binary: "BOOTSTRAP", variables: services },
    ];
    println!("| cold start, ms | median | least | most | starts |");
    println!("|---|---|---|---|---|");
    for case in &cases {
        let Ok(binary) = env::var(case.binary) else {
            println!("| {} | SKIPPED: {} is not set | | | |", case.name, case.binary);
            continue;
        };
        let mut times: Vec<f64> = (0..STARTS).map(|_| start(Path::new(&binary), &case.variables)).collect();
        times.sort_by(f64::total_cmp);
        let (median, least, most) = (times[STARTS / 2], times[0], times[STARTS - 1]);
        println!("| {} | {median:.1} | {least:.1} | {most:.1} | {STARTS} |", case.name);
    }
}

/// Milliseconds from the start to the first request.
fn start(binary: &Path, variables: &[(&str, String)]) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut command = Command::new(binary);
    command.env_clear().envs(variables.iter().map(|(name, value)| (name, value)));
    command.env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().expect("an address").to_string());
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ] {
        command.env(name, value);
    }
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary");
    let (mut stream, _) = listener.accept().expect("it asks");
    let mut first = [0; 16];
    stream.read_exact(&mut first).expect("a request");
    let took = started.elapsed().as_secs_f64() * 1e3;
    assert!(first.starts_with(b"GET "), "it asks for an invocation");
    child.kill().expect("it runs");
    child.wait().expect("its end");
    took
}

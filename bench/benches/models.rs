//! Models by our kernel and by onnxruntime, in one run and in turns: processor time of one thread, medians.
//!
//! The models are those of the zoo's `bench` folder: `FOURSTROKE_ZOO`, else `../shared/zoo` seen from the repository. Without
//! Python and onnxruntime (`bench/peers/requirements-models.txt`, `PYTHON` names the interpreter) ours alone are measured.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use fourstroke::ports::{Model, Tensor, Tensors};
use fourstroke_bench::thread_time;

const COLUMNS: usize = 20;
/// How many turns each has, and about how long one may take.
const TURNS: usize = 7;
const TURN: Duration = Duration::from_millis(60);

fn main() -> anyhow::Result<()> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/zoo");
    let zoo = PathBuf::from(env::var("FOURSTROKE_ZOO").unwrap_or_else(|_| beside.to_owned())).join("bench");
    if !zoo.is_dir() {
        println!("SKIPPED: the model zoo is not here; FOURSTROKE_ZOO says where it is");
        return Ok(());
    }
    let data = zoo.join("X.f32");
    let table = fs::read(&data)?;
    let table: Vec<f32> = table.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let mut peer = Peer::start();
    match &peer {
        Some(peer) => println!("onnxruntime {}, one thread", peer.version),
        None => println!("SKIPPED: onnxruntime: Python cannot import it"),
    }
    println!("| model | load ms | rows | ours, µs | onnxruntime, µs | times faster | ours, ns a row |");
    println!("|---|---|---|---|---|---|---|");
    for folder in models(&zoo)? {
        let model = Measured::load(&folder, &table)?;
        for rows in [1, 100, 1_000, 10_000] {
            let (ours, theirs) = model.measure(rows, &mut peer, &data)?;
            let shown = theirs.map_or(("·".to_owned(), "·".to_owned()), |theirs| {
                (format!("{:.1}", theirs / 1e3), format!("{:.1}", theirs / ours))
            });
            println!(
                "| {} | {:.1} | {rows} | {:.1} | {} | {} | {:.0} |",
                model.name,
                model.load * 1e3,
                ours / 1e3,
                shown.0,
                shown.1,
                ours / rows as f64
            );
        }
    }
    Ok(())
}

fn models(zoo: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let only = env::var("ZOO_ONLY").unwrap_or_default();
    let mut folders: Vec<PathBuf> = fs::read_dir(zoo)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|path| path.join("model.onnx").exists() && path.to_string_lossy().contains(&only));
    folders.sort();
    Ok(folders)
}

/// A model of the zoo and its rows.
struct Measured {
    name: String,
    path: PathBuf,
    model: Box<dyn Model>,
    features: usize,
    rows: Vec<f32>,
    /// Seconds it took to load.
    load: f64,
}

impl Measured {
    fn load(folder: &Path, table: &[f32]) -> anyhow::Result<Measured> {
        let path = folder.join("model.onnx");
        let bytes = fs::read(&path)?;
        let mut loads = Vec::new();
        for _ in 0..5 {
            let before = thread_time();
            drop(fourstroke_onnx::load(&bytes)?);
            loads.push((thread_time() - before).as_secs_f64());
        }
        let model = Box::new(fourstroke_onnx::load(&bytes)?);
        let features = model.signature().inputs[0].width();
        let rows = table.chunks_exact(COLUMNS).flat_map(|row| &row[..features]).copied().collect();
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Measured { name, path, model, features, rows, load: median(loads) })
    }

    /// Returns the medians of ours and theirs, in nanoseconds a call.
    fn measure(&self, rows: usize, peer: &mut Option<Peer>, data: &Path) -> anyhow::Result<(f64, Option<f64>)> {
        let batch = Tensors { rows, data: vec![Tensor::F32(self.rows[..rows * self.features].to_vec())] };
        let call = || -> anyhow::Result<f64> {
            let before = thread_time();
            self.model.infer(&batch)?;
            Ok((thread_time() - before).as_nanos() as f64)
        };
        call()?;
        let repetitions = (TURN.as_nanos() as f64 / call()?.max(1.0)).clamp(3.0, 2_000.0) as usize;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            for _ in 0..repetitions {
                ours.push(call()?);
            }
            if let Some(peer) = peer {
                let name = &self.model.signature().inputs[0].name;
                theirs.extend(peer.run(&self.path, name, self.features, data, rows, repetitions)?);
            }
        }
        Ok((median(ours), (!theirs.is_empty()).then(|| median(theirs))))
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// onnxruntime in a process of its own.
struct Peer {
    _process: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
    version: String,
}

impl Peer {
    fn start() -> Option<Peer> {
        let python = env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/onnxruntime_models.py");
        let pipes = || (Stdio::piped(), Stdio::piped());
        let (stdin, stdout) = pipes();
        let mut process =
            Command::new(python).arg(script).stdin(stdin).stdout(stdout).stderr(Stdio::null()).spawn().ok()?;
        let (ask, mut answer) = (process.stdin.take()?, BufReader::new(process.stdout.take()?));
        let mut version = String::new();
        answer.read_line(&mut version).ok()?;
        let version = version.trim().to_owned();
        (!version.is_empty()).then_some(Peer { _process: process, ask, answer, version })
    }

    fn run(
        &mut self,
        model: &Path,
        input: &str,
        features: usize,
        data: &Path,
        rows: usize,
        repetitions: usize,
    ) -> anyhow::Result<Vec<f64>> {
        let (model, data) = (model.display(), data.display());
        writeln!(self.ask, "{model}\t{input}\t{features}\t{data}\t{rows}\t{repetitions}")?;
        let mut line = String::new();
        self.answer.read_line(&mut line)?;
        ensure!(!line.is_empty(), "onnxruntime ended at {model}");
        line.split_whitespace().map(|nanos| nanos.parse().context("a number of nanoseconds")).collect()
    }
}

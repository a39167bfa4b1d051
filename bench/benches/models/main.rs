//! Models by us, by onnxruntime and, trees, by lleaves, in one run and in turns: processor time of one thread, medians. Then what
//! memory one more model of a kind takes.
//!
//! The models are the zoo's: all of its `bench` folder, and the [`CASES`]. `FOURSTROKE_ZOO` says where it is, else it is `../shared/zoo`
//! seen from the repository. `PYTHON` and `LLEAVES_PYTHON` name interpreters that have what `bench/peers/requirements-*.txt` says;
//! who is not there is left out. `ZOO_ONLY` is a part of the names of those wanted.

mod memory;
mod peer;
mod rows;

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use fourstroke::ports::Model;
use fourstroke_bench::thread_time;

use peer::Peer;
use rows::Rows;

/// Models that are no trees: linear, scalers, encoders, what they are put together to, and small networks.
const CASES: [&str; 10] = [
    "linreg_multi",
    "logreg_wine_raw",
    "logreg_bc_scaled_nozip",
    "pre_std",
    "ct_only_oh",
    "ct_only_ord",
    "ct_drop1",
    "ct_mlp",
    "mlp_iris_nozip",
    "svc_rbf_bc",
];
/// How many turns each has, and about how long one may take.
const TURNS: usize = 7;
const TURN: Duration = Duration::from_millis(60);

fn main() -> anyhow::Result<()> {
    if memory::measured()? {
        return Ok(());
    }
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/zoo");
    let zoo = PathBuf::from(env::var("FOURSTROKE_ZOO").unwrap_or_else(|_| beside.to_owned()));
    if !zoo.is_dir() {
        println!("SKIPPED: the model zoo is not here; FOURSTROKE_ZOO says where it is");
        return Ok(());
    }
    let mut peers = [Peer::start("onnxruntime", "PYTHON"), Peer::start("lleaves", "LLEAVES_PYTHON")];
    println!("| model | load ms | rows | ours, µs | onnxruntime, µs | times faster | lleaves, µs | ours, ns a row |");
    println!("|---|---|---|---|---|---|---|---|");
    let models = models(&zoo)?;
    for (folder, data) in &models {
        let model = Measured::load(folder, data)?;
        for rows in [1, 100, 1_000, 10_000] {
            let (ours, theirs) = model.measure(rows, &mut peers)?;
            let shown = |of: Option<f64>, unit: f64| of.map_or("·".to_owned(), |of| format!("{:.1}", of / unit));
            println!(
                "| {} | {:.1} | {rows} | {:.1} | {} | {} | {} | {:.0} |",
                model.name,
                model.load * 1e3,
                ours / 1e3,
                shown(theirs[0], 1e3),
                shown(theirs[0], ours),
                shown(theirs[1], 1e3),
                ours / rows as f64
            );
        }
    }
    println!("| model | file, KiB | each further one in memory, KiB |");
    println!("|---|---|---|");
    for (folder, _) in &models {
        let path = folder.join("model.onnx");
        let (file, each) = (fs::metadata(&path)?.len(), memory::of_each(&path)?);
        println!(
            "| {} | {} | {} |",
            name(folder),
            file >> 10,
            each.map_or("·".to_owned(), |each| (each >> 10).to_string())
        );
    }
    Ok(())
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the folders of the models, and where the rows of each are.
fn models(zoo: &Path) -> anyhow::Result<Vec<(PathBuf, PathBuf)>> {
    let only = env::var("ZOO_ONLY").unwrap_or_default();
    let bench = zoo.join("bench");
    let mut trees: Vec<PathBuf> = fs::read_dir(&bench)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    trees.retain(|folder| folder.join("model.onnx").exists());
    trees.sort();
    let trees = trees.into_iter().map(|folder| (folder, bench.join("X.f32")));
    let cases = CASES.iter().map(|name| zoo.join("cases").join(name));
    let cases = cases.map(|folder| (folder.clone(), folder.join("inputs.json")));
    Ok(trees.chain(cases).filter(|(folder, _)| folder.to_string_lossy().contains(&only)).collect())
}

/// A model of the zoo and its rows.
struct Measured {
    name: String,
    path: PathBuf,
    model: Box<dyn Model>,
    data: PathBuf,
    rows: Rows,
    /// Seconds it took to load.
    load: f64,
}

impl Measured {
    fn load(folder: &Path, data: &Path) -> anyhow::Result<Measured> {
        let path = folder.join("model.onnx");
        let bytes = fs::read(&path)?;
        let mut loads = Vec::new();
        for _ in 0..5 {
            let before = thread_time();
            drop(fourstroke_onnx::load(&bytes)?);
            loads.push((thread_time() - before).as_secs_f64());
        }
        let model = Box::new(fourstroke_onnx::load(&bytes)?);
        let rows = Rows::read(data, &model.signature().inputs)?;
        Ok(Measured { name: name(folder), path, model, data: data.to_owned(), rows, load: median(loads) })
    }

    /// Returns the medians of ours and theirs, in nanoseconds a call.
    fn measure(&self, rows: usize, peers: &mut [Option<Peer>; 2]) -> anyhow::Result<(f64, [Option<f64>; 2])> {
        let batch = self.rows.batch(rows);
        let call = || -> anyhow::Result<f64> {
            let before = thread_time();
            self.model.infer(&batch)?;
            Ok((thread_time() - before).as_nanos() as f64)
        };
        call()?;
        let repetitions = (TURN.as_nanos() as f64 / call()?.max(1.0)).clamp(3.0, 2_000.0) as usize;
        let (mut ours, mut theirs) = (Vec::new(), [Vec::new(), Vec::new()]);
        for _ in 0..TURNS {
            for _ in 0..repetitions {
                ours.push(call()?);
            }
            for (peer, times) in peers.iter_mut().zip(&mut theirs) {
                if let Some(peer) = peer {
                    times.extend(peer.run(&self.path, &self.data, rows, repetitions)?);
                }
            }
        }
        Ok((median(ours), theirs.map(|times| (!times.is_empty()).then(|| median(times)))))
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

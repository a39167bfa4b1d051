//! Models by us and by onnxruntime, in one run and in turns: processor time of one thread, medians.
//!
//! The models are the zoo's: all of its `bench` folder, and the [`CASES`]. `FOURSTROKE_ZOO` says where it is, else it is `../shared/zoo`
//! seen from the repository. Without Python and onnxruntime (`bench/peers/requirements-models.txt`, `PYTHON` names the
//! interpreter) ours alone are measured. `ZOO_ONLY` is a part of the names of those wanted.

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
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/zoo");
    let zoo = PathBuf::from(env::var("FOURSTROKE_ZOO").unwrap_or_else(|_| beside.to_owned()));
    if !zoo.is_dir() {
        println!("SKIPPED: the model zoo is not here; FOURSTROKE_ZOO says where it is");
        return Ok(());
    }
    let mut peer = Peer::start();
    match &peer {
        Some(peer) => println!("onnxruntime {}, one thread", peer.version),
        None => println!("SKIPPED: onnxruntime: Python cannot import it"),
    }
    println!("| model | load ms | rows | ours, µs | onnxruntime, µs | times faster | ours, ns a row |");
    println!("|---|---|---|---|---|---|---|");
    for (folder, data) in models(&zoo)? {
        let model = Measured::load(&folder, data)?;
        for rows in [1, 100, 1_000, 10_000] {
            let (ours, theirs) = model.measure(rows, &mut peer)?;
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
    fn load(folder: &Path, data: PathBuf) -> anyhow::Result<Measured> {
        let path = folder.join("model.onnx");
        let bytes = fs::read(&path)?;
        let mut loads = Vec::new();
        for _ in 0..5 {
            let before = thread_time();
            drop(fourstroke_onnx::load(&bytes)?);
            loads.push((thread_time() - before).as_secs_f64());
        }
        let model = Box::new(fourstroke_onnx::load(&bytes)?);
        let rows = Rows::read(&data, &model.signature().inputs)?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Measured { name, path, model, data, rows, load: median(loads) })
    }

    /// Returns the medians of ours and theirs, in nanoseconds a call.
    fn measure(&self, rows: usize, peer: &mut Option<Peer>) -> anyhow::Result<(f64, Option<f64>)> {
        let batch = self.rows.batch(rows);
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
                theirs.extend(peer.run(&self.path, &self.data, rows, repetitions)?);
            }
        }
        Ok((median(ours), (!theirs.is_empty()).then(|| median(theirs))))
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

// drives wasmi: `bench-wasmi MODULE N…` calls the export `run` with each N, prints result and CPU seconds a line.
use wasmi::{Engine, Linker, Module, Store};

fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let bytes = std::fs::read(&args[1])?;
    let engine = Engine::default();
    let module = Module::new(&engine, &bytes[..])?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::<()>::new(&engine).instantiate_and_start(&mut store, &module)?;
    let run = instance.get_typed_func::<i32, i32>(&store, "run")?;
    for n in &args[2..] {
        let n: i32 = n.parse()?;
        let t = cpu();
        let r = run.call(&mut store, n)?;
        println!("{} {:.6}", r, cpu() - t);
    }
    Ok(())
}

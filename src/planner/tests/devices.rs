//! Devices that are not there: told beforehand when that is certain, never otherwise.

use super::{World, plain, project};
use crate::planner::{UpOptions, interest, up};
use crate::resource::HostFound;

const DEVICES: &str = "
name: s
services:
  all: {image: nginx, gpus: all}
  nvidia:
    image: nginx
    deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]}}}
  amd: {image: nginx, gpus: [{driver: amd, count: 1}]}
  other: {image: nginx, gpus: [{driver: other, count: 1}]}
  tpu:
    image: nginx
    deploy: {resources: {reservations: {devices: [{capabilities: [tpu]}]}}}
  described: {image: nginx, devices: ['vendor.com/class=one', /dev/none]}
  reserved:
    image: nginx
    deploy: {resources: {reservations: {devices: [{driver: cdi, device_ids: ['vendor.com/class=two'], capabilities: [gpu]}]}}}
  serial: {image: nginx, devices: ['/dev/none:/dev/ttyUSB0']}
  master: {image: nginx, privileged: true, devices: [/dev/master, '/dev/other:/dev/here']}
  runtime: {image: nginx, runtime: kata}
";

fn told(host: HostFound, options: &UpOptions) -> String {
    let mut world = World::with_images(&["nginx"]);
    world.snapshot.foreign.host = host;
    let plan = up(&project(DEVICES), &world.snapshot, options);
    let line = |it: &crate::planner::Blocker| {
        let (place, hint) = (it.place.as_deref().unwrap_or_default(), it.hint.as_deref().unwrap_or_default());
        format!("{place}: {}\n  {hint}\n", it.message)
    };
    plan.blockers.iter().map(line).collect()
}

#[test]
fn what_is_asked_for_is_looked_at() {
    let wish = interest(&project(DEVICES)).host;
    insta::assert_snapshot!(format!("{:?}\n{:?}\n{:?}\n{:?}", wish.gpu_drivers, wish.cdi_devices, wish.paths, wish.runtimes), @r#"
    {"", "amd", "nvidia", "other"}
    {"vendor.com/class=one", "vendor.com/class=two"}
    {"/dev/none", "/dev/other"}
    {"kata"}
    "#);
    // Nothing is known to be missing.
    assert_eq!(told(HostFound::default(), &plain()), "");
}

#[test]
fn what_is_missing_is_told_where_it_is_asked_for() {
    let wish = interest(&project(DEVICES)).host;
    let host = HostFound {
        missing_paths: wish.paths,
        missing_gpu_drivers: ["", "nvidia", "amd"].map(str::to_owned).into(),
        missing_cdi_devices: wish.cdi_devices,
        cdi_directories: vec!["/etc/cdi".to_owned(), "/var/run/cdi".to_owned()],
        missing_runtimes: wish.runtimes,
        ..HostFound::default()
    };
    insta::assert_snapshot!(told(host.clone(), &plain()), @"
    compose.yaml:19:27: service `runtime` asks for the runtime kata, which this engine does not have
      install it and name it under `runtimes` in the engine's daemon.json
    compose.yaml:4:23: service `all` asks for a GPU, and no driver of one is loaded on this machine
      install the driver and its container toolkit, or leave the GPU out in an override file
    compose.yaml:8:23: service `amd` asks for a GPU of AMD, and no driver of one is loaded on this machine
      install the driver and its container toolkit, or leave the GPU out in an override file
    compose.yaml:13:39: service `described` asks for the device vendor.com/class=one, which this engine does not know
      let its vendor's tool (for NVIDIA `nvidia-ctk cdi generate`) describe it in /etc/cdi or /var/run/cdi
    compose.yaml:13:63: device of service `described` does not exist: /dev/none
      plug it in or load its driver, or leave it out in an override file
    compose.yaml:18:67: device of service `master` does not exist: /dev/other
      plug it in or load its driver, or leave it out in an override file
    compose.yaml:7:5: service `nvidia` asks for a GPU of NVIDIA, and no driver of one is loaded on this machine
      install the driver and its container toolkit, or leave the GPU out in an override file
    compose.yaml:16:5: service `reserved` asks for the device vendor.com/class=two, which this engine does not know
      let its vendor's tool (for NVIDIA `nvidia-ctk cdi generate`) describe it in /etc/cdi or /var/run/cdi
    compose.yaml:17:36: device of service `serial` does not exist: /dev/none
      plug it in or load its driver, or leave it out in an override file
    ");
    // Containers that are only made want their runtime, and no device yet.
    insta::assert_snapshot!(told(host, &UpOptions { start: false, ..plain() }), @"
    compose.yaml:19:27: service `runtime` asks for the runtime kata, which this engine does not have
      install it and name it under `runtimes` in the engine's daemon.json
    ");
    let off = HostFound { missing_cdi_devices: ["vendor.com/class=one".to_owned()].into(), ..HostFound::default() };
    insta::assert_snapshot!(told(off, &plain()), @r#"
    compose.yaml:13:39: service `described` asks for the device vendor.com/class=one, which this engine does not know
      switch CDI on: `"features": {"cdi": true}` in the engine's daemon.json
    "#);
}

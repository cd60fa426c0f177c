//! Devices and runtimes that a container is started with, and that are surely not there.

use std::collections::BTreeMap;

use crate::names::ContainerName;
use crate::planner::devices;
use crate::planner::plan::Blocker;
use crate::resource::{CdiOrGpuRequest, HostFound, HostWish};
use crate::spec::model::{Project, Service};

/// The driver of devices that are described to the engine.
const CDI: &str = "cdi";

fn requests(service: &Service) -> Vec<CdiOrGpuRequest> {
    let reservations = service.deploy.as_ref().and_then(|deploy| deploy.resources.reservations.as_ref());
    devices::requests(reservations, &service.devices, &service.gpus)
}

/// The drivers by which a service asks for GPUs.
fn gpu_drivers(service: &Service) -> Vec<String> {
    let of_gpus = requests(service)
        .into_iter()
        .filter(|request| request.driver != CDI && request.capabilities.iter().any(|capability| capability == "gpu"));
    of_gpus.map(|request| request.driver).collect()
}

/// The devices that a service asks for by their CDI names.
fn cdi_devices(service: &Service) -> Vec<String> {
    requests(service)
        .into_iter()
        .filter(|request| request.driver == CDI)
        .flat_map(|request| request.device_ids)
        .collect()
}

/// The devices that a service asks for by path, by their place in the list.
fn paths(service: &Service) -> Vec<(usize, &str)> {
    let named = service.devices.iter().enumerate().filter(|(_, device)| !devices::is_cdi(device));
    let needed = named.filter(|(_, device)| {
        // With all rights it has what is there anyway, and the rest is left out.
        let same = device.target.as_deref().is_none_or(|target| target == device.source);
        device.source.starts_with('/') && !(service.privileged && same)
    });
    needed.map(|(index, device)| (index, device.source.as_str())).collect()
}

/// What has to be looked at for a service.
pub(super) fn wish(service: &Service, wish: &mut HostWish) {
    wish.gpu_drivers.extend(gpu_drivers(service));
    wish.cdi_devices.extend(cdi_devices(service));
    wish.paths.extend(paths(service).into_iter().map(|(_, path)| path.to_owned()));
    wish.runtimes.extend(service.runtime.iter().filter(|name| !name.is_empty()).cloned());
}

/// Adds what is missing: runtimes for containers that are made, devices for those that are started.
pub(super) fn check(
    blockers: &mut Vec<Blocker>,
    project: &Project,
    host: &HostFound,
    touched: &BTreeMap<&str, &Service>,
    started: &[(&Service, ContainerName)],
) {
    for service in touched.values() {
        if let Some(runtime) = service.runtime.as_ref().filter(|name| host.missing_runtimes.contains(*name)) {
            blockers.push(Blocker {
                message: format!(
                    "service `{}` asks for the runtime {runtime}, which this engine does not have",
                    service.name
                ),
                hint: Some("install it and name it under `runtimes` in the engine's daemon.json".to_owned()),
                place: project.place(&["services", service.name.as_str(), "runtime"]),
            });
        }
    }
    let starting: BTreeMap<&str, &Service> =
        started.iter().map(|(service, _)| (service.name.as_str(), *service)).collect();
    for service in starting.values() {
        gpus(blockers, project, host, service);
        described(blockers, project, host, service);
        for (index, path) in paths(service).into_iter().filter(|(_, path)| host.missing_paths.contains(*path)) {
            blockers.push(Blocker {
                message: format!("device of service `{}` does not exist: {path}", service.name),
                hint: Some("plug it in or load its driver, or leave it out in an override file".to_owned()),
                place: project.place(&["services", service.name.as_str(), "devices", &index.to_string()]),
            });
        }
    }
}

fn gpus(blockers: &mut Vec<Blocker>, project: &Project, host: &HostFound, service: &Service) {
    let missing = gpu_drivers(service).into_iter().find(|driver| host.missing_gpu_drivers.contains(driver));
    let Some(driver) = missing else { return };
    let kind = match driver.as_str() {
        "nvidia" => "a GPU of NVIDIA",
        "amd" => "a GPU of AMD",
        _ => "a GPU",
    };
    let key = if service.gpus.is_empty() { "deploy" } else { "gpus" };
    blockers.push(Blocker {
        message: format!("service `{}` asks for {kind}, and no driver of one is loaded on this machine", service.name),
        hint: Some("install the driver and its container toolkit, or leave the GPU out in an override file".to_owned()),
        place: project.place(&["services", service.name.as_str(), key]),
    });
}

/// Devices of the Container Device Interface.
fn described(blockers: &mut Vec<Blocker>, project: &Project, host: &HostFound, service: &Service) {
    for device in cdi_devices(service).into_iter().filter(|device| host.missing_cdi_devices.contains(device)) {
        let hint = if host.cdi_directories.is_empty() {
            "switch CDI on: `\"features\": {\"cdi\": true}` in the engine's daemon.json".to_owned()
        } else {
            let directories = host.cdi_directories.join(" or ");
            format!("let its vendor's tool (for NVIDIA `nvidia-ctk cdi generate`) describe it in {directories}")
        };
        let index = service.devices.iter().position(|known| known.source == device);
        let steps = match &index.map(|index| index.to_string()) {
            Some(index) => project.place(&["services", service.name.as_str(), "devices", index]),
            None => project.place(&["services", service.name.as_str(), "deploy"]),
        };
        blockers.push(Blocker {
            message: format!(
                "service `{}` asks for the device {device}, which this engine does not know",
                service.name
            ),
            hint: Some(hint),
            place: steps,
        });
    }
}

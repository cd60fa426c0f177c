//! Devices, GPUs and block IO limits in the engine's terms.

use crate::resource::{BlkioDevice, CdiOrGpuRequest, Device};
use crate::spec::model::{DeviceMapping, DeviceRequest, ResourceSpec, ThrottleDevice, WeightDevice};

/// Whether a device is named by the Container Device Interface: `vendor/class=name`.
pub(super) fn is_cdi(device: &DeviceMapping) -> bool {
    let same = device.target.as_deref().is_none_or(|target| target == device.source);
    let named = device.source.split_once('=').is_some_and(|(kind, name)| {
        !kind.starts_with('/') && kind.contains('/') && !kind.ends_with('/') && !name.is_empty()
    });
    same && named
}

/// Devices that are mapped by path.
pub(super) fn plain(devices: &[DeviceMapping]) -> Vec<Device> {
    devices
        .iter()
        .filter(|device| !is_cdi(device))
        .map(|device| Device {
            host_path: device.source.clone(),
            container_path: device.target.clone().unwrap_or_else(|| device.source.clone()),
            permissions: device.permissions.clone().unwrap_or_else(|| "rwm".to_owned()),
        })
        .collect()
}

/// Devices that are asked for by capability or CDI name: reservations first, then CDI names, then `gpus`.
pub(super) fn requests(
    reservations: Option<&ResourceSpec>,
    devices: &[DeviceMapping],
    gpus: &[DeviceRequest],
) -> Vec<CdiOrGpuRequest> {
    let mut all: Vec<_> =
        reservations.into_iter().flat_map(|least| &least.devices).map(|device| request(device, false)).collect();
    let cdi: Vec<String> = devices.iter().filter(|device| is_cdi(device)).map(|device| device.source.clone()).collect();
    if !cdi.is_empty() {
        all.push(CdiOrGpuRequest { driver: "cdi".to_owned(), device_ids: cdi, ..CdiOrGpuRequest::default() });
    }
    all.extend(gpus.iter().map(|gpu| request(gpu, true)));
    all
}

fn request(device: &DeviceRequest, gpu: bool) -> CdiOrGpuRequest {
    let mut capabilities = device.capabilities.clone();
    if gpu {
        capabilities.push("gpu".to_owned());
    }
    CdiOrGpuRequest {
        driver: device.driver.clone().unwrap_or_default(),
        count: device.count.unwrap_or(0),
        device_ids: device.device_ids.clone(),
        capabilities,
        options: device.options.clone(),
    }
}

/// A weight for a device.
pub(super) fn weight(device: &WeightDevice) -> BlkioDevice {
    BlkioDevice { path: device.path.clone(), value: i64::from(device.weight) }
}

/// A rate for a device.
pub(super) fn throttle(device: &ThrottleDevice) -> BlkioDevice {
    BlkioDevice { path: device.path.clone(), value: device.rate.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cdi_name_is_no_path() {
        for (source, cdi) in [("nvidia.com/gpu=0", true), ("/dev/sda", false), ("/dev/x=y", false), ("a=b", false)] {
            let device = DeviceMapping { source: source.to_owned(), ..DeviceMapping::default() };
            assert_eq!(is_cdi(&device), cdi, "{source}");
        }
    }
}

/* NVML: clock, power, reasons and energy of the same timeline; everything else from the settings.

   A process sees its own work only: what another does to the device is in no reading here. */
#include "null.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NVML_OK = 0, NVML_INVALID = 2, NVML_NOT_SUPPORTED = 3, NVML_NOT_FOUND = 6, MEMORY = 2, POWER_CAP = 4 };
typedef struct { int index; } *device_t;
static struct { int index; } DEVICES[MOST_DEVICES];

static void answering(void) { host_takes(SET.nvml_us); }

EXPORT int nvmlInit_v2(void) { return (int)SET.nvml_error; }
EXPORT int nvmlInit(void) { return (int)SET.nvml_error; }
EXPORT int nvmlInitWithFlags(unsigned flags UNUSED) { return (int)SET.nvml_error; }
EXPORT int nvmlShutdown(void) { return NVML_OK; }
EXPORT const char *nvmlErrorString(int error) {
  return error == NVML_NOT_SUPPORTED ? "Not Supported" : error == NVML_NOT_FOUND ? "Not Found" : "made up";
}
EXPORT int nvmlSystemGetDriverVersion(char *text, unsigned length) { return snprintf(text, length, "580.00 (made up)"), NVML_OK; }
EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *version) { return *version = 13000, NVML_OK; }

/* ---- which device ---- */
static void uuid_of(int device, char *text, size_t length) {
  unsigned char bytes[16] = "nullgpu-made-up";
  bytes[15] = device;
  int used = snprintf(text, length, "GPU-");
  for (int i = 0; i < 16; i++) used += snprintf(text + used, length - used, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
}
EXPORT int nvmlDeviceGetCount_v2(unsigned *count) { return *count = (unsigned)SET.devices, NVML_OK; }
EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, device_t *device) {
  if (index >= (unsigned)SET.devices) return NVML_INVALID;
  DEVICES[index].index = index;
  *device = (device_t)&DEVICES[index];
  return NVML_OK;
}
EXPORT int nvmlDeviceGetUUID(device_t device, char *text, unsigned length) { return uuid_of(device->index, text, length), NVML_OK; }
EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, device_t *device) {
  char text[64];
  for (int i = 0; i < (int)SET.devices; i++) {
    uuid_of(i, text, sizeof text);
    if (!strcmp(text, uuid)) return nvmlDeviceGetHandleByIndex_v2(i, device);
  }
  return NVML_NOT_FOUND;
}
EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *id, device_t *device) {
  const char *bus = strchr(id, ':');
  unsigned number = bus ? strtoul(bus + 1, NULL, 16) : 0;
  return number < 1 || number > (unsigned)SET.devices ? NVML_NOT_FOUND : nvmlDeviceGetHandleByIndex_v2(number - 1, device);
}
EXPORT int nvmlDeviceGetName(device_t device UNUSED, char *text, unsigned length) { return snprintf(text, length, "Null GPU (made up)"), NVML_OK; }

/* ---- gauges ---- */
EXPORT int nvmlDeviceGetMemoryInfo(device_t device, unsigned long long *total_free_used) {
  answering();
  total_free_used[0] = memory_total();
  total_free_used[2] = (600u << 20) + memory_used(device->index);
  total_free_used[1] = total_free_used[0] - total_free_used[2];
  return NVML_OK;
}
EXPORT int nvmlDeviceGetUtilizationRates(device_t device UNUSED, unsigned *gpu_memory) {
  answering();
  gpu_memory[0] = (unsigned)SET.utilization;
  gpu_memory[1] = 0;
  return NVML_OK;
}
EXPORT int nvmlDeviceGetPersistenceMode(device_t device UNUSED, int *mode) { return *mode = (int)SET.persistence, NVML_OK; }
EXPORT int nvmlDeviceGetComputeMode(device_t device UNUSED, int *mode) { return *mode = (int)SET.compute_mode, NVML_OK; }
EXPORT int nvmlDeviceGetPowerManagementDefaultLimit(device_t device UNUSED, unsigned *mw) { return *mw = 700000, NVML_OK; }
EXPORT int nvmlDeviceGetEnforcedPowerLimit(device_t device UNUSED, unsigned *mw) { return *mw = (unsigned)(SET.limit_w * 1000), NVML_OK; }

static double at_device(double (*reading)(int, ns_t), device_t device) {
  answering();
  LOCK;
  double value = reading(device->index, now());
  UNLOCK;
  return value;
}
EXPORT int nvmlDeviceGetPowerUsage(device_t device, unsigned *mw) { return *mw = (unsigned)(1e3 * at_device(watts, device)), NVML_OK; }
EXPORT int nvmlDeviceGetTotalEnergyConsumption(device_t device, unsigned long long *mj) {
  return *mj = (unsigned long long)(1e3 * at_device(joules, device)), NVML_OK;
}
EXPORT int nvmlDeviceGetClockInfo(device_t device, int which, unsigned *mhz) {
  double share = at_device(clock_share, device);
  *mhz = which == MEMORY ? 2619 : (unsigned)(SET.mhz * share / 15 + 0.5) * 15; /* in steps, as an H200's */
  return NVML_OK;
}
EXPORT int nvmlDeviceGetMaxClockInfo(device_t device UNUSED, int which, unsigned *mhz) {
  return *mhz = which == MEMORY ? 2619 : (unsigned)SET.mhz, NVML_OK;
}
EXPORT int nvmlDeviceGetTemperature(device_t device UNUSED, int sensor UNUSED, unsigned *celsius) {
  answering();
  return *celsius = (unsigned)SET.celsius, NVML_OK;
}
EXPORT int nvmlDeviceGetTemperatureV(device_t device UNUSED, unsigned *version_sensor_celsius) {
  answering();
  return version_sensor_celsius[2] = (unsigned)SET.celsius, NVML_OK;
}
EXPORT int nvmlDeviceGetCurrentClocksEventReasons(device_t device, unsigned long long *reasons) {
  double share = at_device(clock_share, device);
  *reasons = (unsigned long long)SET.reasons | (share < SET.clock_share ? POWER_CAP : 0);
  return NVML_OK;
}
EXPORT int nvmlDeviceGetCurrentClocksThrottleReasons(device_t device, unsigned long long *reasons) {
  return nvmlDeviceGetCurrentClocksEventReasons(device, reasons);
}
EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(device_t device UNUSED, unsigned *count, void *processes UNUSED) {
  answering();
  return *count = 0, NVML_OK;
}
EXPORT int nvmlDeviceGetComputeRunningProcesses(device_t device, unsigned *count, void *processes) {
  return nvmlDeviceGetComputeRunningProcesses_v3(device, count, processes);
}
EXPORT int nvmlDeviceGetGraphicsRunningProcesses_v3(device_t device, unsigned *count, void *processes) {
  return nvmlDeviceGetComputeRunningProcesses_v3(device, count, processes);
}
EXPORT int nvmlDeviceGetNvLinkRemoteDeviceType(device_t device UNUSED, unsigned link UNUSED, int *type UNUSED) { return NVML_NOT_SUPPORTED; }
EXPORT int nvmlDeviceGetNvLinkRemotePciInfo_v2(device_t device UNUSED, unsigned link UNUSED, void *pci UNUSED) { return NVML_NOT_SUPPORTED; }
EXPORT int nvmlDeviceGetGpuFabricInfoV(device_t device UNUSED, void *info UNUSED) { return NVML_NOT_SUPPORTED; }

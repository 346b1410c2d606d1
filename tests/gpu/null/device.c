/* The device: how many, what they are, and the parts of the driver's API that torch and its libraries look up. */
#include "null.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const char NAME[] = "Null GPU (made up)";

EXPORT cudaError_t cudaGetDeviceCount(int *count) {
  *count = (int)SET.devices;
  return *count ? cudaSuccess : fail(cudaErrorNoDevice);
}
EXPORT cudaError_t cudaGetDevice(int *device) {
  *device = this_device;
  return cudaSuccess;
}
EXPORT cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= (int)SET.devices) return fail(cudaErrorInvalidDevice);
  this_device = device;
  return cudaSuccess;
}
EXPORT cudaError_t cudaDriverGetVersion(int *version) {
  *version = 13000;
  return cudaSuccess;
}
EXPORT cudaError_t cudaRuntimeGetVersion(int *version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
EXPORT cudaError_t cudaDeviceGetPCIBusId(char *text, int length, int device) {
  snprintf(text, length, "0000:%02x:00.0", device + 1);
  return cudaSuccess;
}
EXPORT cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest) {
  if (least) *least = 0;
  if (greatest) *greatest = -5;
  return cudaSuccess;
}
EXPORT cudaError_t cudaDeviceCanAccessPeer(int *can, int device UNUSED, int peer UNUSED) {
  *can = 0;
  return cudaSuccess;
}
EXPORT cudaError_t cudaDeviceEnablePeerAccess(int peer UNUSED, unsigned flags UNUSED) { return cudaSuccess; }
EXPORT cudaError_t cudaProfilerStart(void) { return cudaSuccess; }
EXPORT cudaError_t cudaProfilerStop(void) { return cudaSuccess; }

/* Sizes of an H100: what torch chooses launches by. */
EXPORT cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *facts, int device) {
  if (device < 0 || device >= (int)SET.devices) return fail(cudaErrorInvalidDevice);
  *facts = (struct cudaDeviceProp){
      .totalGlobalMem = memory_total(), .sharedMemPerBlock = 49152, .regsPerBlock = 65536, .warpSize = 32, .memPitch = 2147483647,
      .maxThreadsPerBlock = 1024, .maxThreadsDim = {1024, 1024, 64}, .maxGridSize = {2147483647, 65535, 65535},
      .totalConstMem = 65536, .major = 9, .minor = 0, .textureAlignment = 512, .texturePitchAlignment = 32,
      .multiProcessorCount = 132, .canMapHostMemory = 1, .concurrentKernels = 1, .pciBusID = device + 1, .asyncEngineCount = 3,
      .unifiedAddressing = 1, .memoryBusWidth = 5120, .l2CacheSize = L2_BYTES, .maxThreadsPerMultiProcessor = 2048,
      .streamPrioritiesSupported = 1, .globalL1CacheSupported = 1, .localL1CacheSupported = 1, .sharedMemPerMultiprocessor = 233472,
      .regsPerMultiprocessor = 65536, .managedMemory = 1, .concurrentManagedAccess = 1, .computePreemptionSupported = 1,
      .cooperativeLaunch = 1, .sharedMemPerBlockOptin = 232448, .maxBlocksPerMultiProcessor = 32, .reservedSharedMemPerBlock = 1024,
      .hostRegisterSupported = 1, .memoryPoolsSupported = 1, .clusterLaunch = 1};
  strcpy(facts->name, NAME);
  memcpy(&facts->uuid, "nullgpu-made-up", 15);
  ((char *)&facts->uuid)[15] = device;
  return cudaSuccess;
}
EXPORT cudaError_t cudaGetDeviceProperties_v2(struct cudaDeviceProp *facts, int device) { return cudaGetDeviceProperties(facts, device); }

static int attribute(int which) {
  switch (which) {
  case cudaDevAttrMaxThreadsPerBlock: case cudaDevAttrMaxBlockDimX: case cudaDevAttrMaxBlockDimY: return 1024;
  case cudaDevAttrMaxBlockDimZ: return 64;
  case cudaDevAttrMaxGridDimX: return 2147483647;
  case cudaDevAttrMaxGridDimY: case cudaDevAttrMaxGridDimZ: return 65535;
  case cudaDevAttrMaxSharedMemoryPerBlock: return 49152;
  case cudaDevAttrMaxSharedMemoryPerBlockOptin: return 232448;
  case cudaDevAttrMaxSharedMemoryPerMultiprocessor: return 233472;
  case cudaDevAttrTotalConstantMemory: return 65536;
  case cudaDevAttrWarpSize: return 32;
  case cudaDevAttrMaxRegistersPerBlock: case cudaDevAttrMaxRegistersPerMultiprocessor: return 65536;
  case cudaDevAttrClockRate: return (int)(SET.mhz * 1000);
  case cudaDevAttrMemoryClockRate: return 2619000;
  case cudaDevAttrGlobalMemoryBusWidth: return 5120;
  case cudaDevAttrL2CacheSize: return L2_BYTES;
  case cudaDevAttrMultiProcessorCount: return 132;
  case cudaDevAttrMaxThreadsPerMultiProcessor: return 2048;
  case cudaDevAttrMaxBlocksPerMultiprocessor: return 32;
  case cudaDevAttrComputeCapabilityMajor: return 9;
  case cudaDevAttrAsyncEngineCount: return 3;
  case cudaDevAttrUnifiedAddressing: case cudaDevAttrConcurrentKernels: case cudaDevAttrCooperativeLaunch: return 1;
  case cudaDevAttrHostRegisterSupported: case cudaDevAttrMemoryPoolsSupported: case cudaDevAttrStreamPrioritiesSupported: return 1;
  default: return 0;
  }
}
EXPORT cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr which, int device UNUSED) {
  *value = attribute(which);
  return cudaSuccess;
}

/* ---- the driver's API; a CUresult is an int ---- */
EXPORT int cuInit(unsigned flags UNUSED) { return 0; }
EXPORT int cuDriverGetVersion(int *version) { return cudaDriverGetVersion(version); }
EXPORT int cuDeviceGet(int *device, int index) { return *device = index, 0; }
EXPORT int cuDeviceGetCount(int *count) { return *count = (int)SET.devices, 0; }
EXPORT int cuDeviceGetName(char *text, int length, int device UNUSED) { return snprintf(text, length, "%s", NAME), 0; }
EXPORT int cuDeviceGetAttribute(int *value, int which, int device UNUSED) { return *value = attribute(which), 0; }
EXPORT int cuDevicePrimaryCtxGetState(int device UNUSED, unsigned *flags, int *active) { return *flags = 0, *active = 1, 0; }
EXPORT int cuDevicePrimaryCtxRetain(void **context, int device UNUSED) { return *context = (void *)1, 0; }
EXPORT int cuCtxGetCurrent(void **context) { return *context = (void *)1, 0; }
EXPORT int cuCtxSetCurrent(void *context UNUSED) { return 0; }
EXPORT int cuCtxPushCurrent(void *context UNUSED) { return 0; }
EXPORT int cuCtxPopCurrent(void **context) { return *context = (void *)1, 0; }
EXPORT int cuGetErrorString(int error, const char **text) { return *text = error_text(error), 0; }
EXPORT int cuGetErrorName(int error, const char **text) { return *text = error_name(error), 0; }
EXPORT int cuPointerGetAttribute(void *value, int which, uint64_t address) {
  struct block block = block_at((void *)address);
  if (which == 2) *(unsigned *)value = block.kind; /* CU_POINTER_ATTRIBUTE_MEMORY_TYPE */
  else *(void **)value = (void *)address;
  return block.kind ? 0 : 1;
}

EXPORT int cuMemGetAddressRange(uint64_t *start, size_t *bytes, uint64_t address) {
  struct block block = block_at((void *)address);
  if (start) *start = (uint64_t)block.start;
  if (bytes) *bytes = block.bytes;
  return block.kind ? 0 : 1;
}

/* What is there only to be found: each says that it is not supported, on stderr too, so that nothing goes unseen. */
static int absent(const char *name) {
  fprintf(stderr, "null GPU: %s is not there\n", name);
  return fail(cudaErrorNotSupported);
}
#define ABSENT(name)                                       \
  EXPORT int null_##name(void) __asm__(#name);             \
  EXPORT int null_##name(void) { return absent(#name); }
ABSENT(cuMemAddressReserve) ABSENT(cuMemAddressFree) ABSENT(cuMemCreate) ABSENT(cuMemRelease) ABSENT(cuMemMap) ABSENT(cuMemUnmap)
ABSENT(cuMemSetAccess) ABSENT(cuMemGetAllocationGranularity) ABSENT(cuMemGetAllocationPropertiesFromHandle)
ABSENT(cuMemExportToShareableHandle) ABSENT(cuMemImportFromShareableHandle) ABSENT(cuMemRetainAllocationHandle)
ABSENT(cuMemsetD32Async) ABSENT(cuStreamWriteValue32)
 ABSENT(cuLaunchCooperativeKernel) ABSENT(cuLinkAddData_v2)
ABSENT(cuLinkComplete) ABSENT(cuLinkCreate_v2) ABSENT(cuModuleLoad)
 ABSENT(cuOccupancyMaxActiveBlocksPerMultiprocessor) ABSENT(cuTensorMapEncodeTiled)
/* of the runtime, for conditional nodes and kernels made at run time: torch 2.13 */
ABSENT(cudaGraphAddNode) ABSENT(cudaGraphConditionalHandleCreate) ABSENT(cudaKernelSetAttributeForDevice) ABSENT(cudaLibraryGetKernel)
ABSENT(cudaLibraryLoadData) ABSENT(cudaLibraryUnload) ABSENT(cudaStreamBeginCaptureToGraph) ABSENT(cudaStreamUpdateCaptureDependencies)

EXPORT int cuGetProcAddress_v2(const char *name, void **found, int version UNUSED, uint64_t flags UNUSED, int *status) {
  Dl_info here;
  *found = NULL;
  void *self = dladdr((void *)cuGetProcAddress_v2, &here) ? dlopen(here.dli_fname, RTLD_LAZY | RTLD_NOLOAD) : NULL;
  if (self) *found = dlsym(self, name);
  trace("entry %s of the driver: %p", name, *found);
  if (status) *status = *found ? 0 : 1;
  return *found ? 0 : 500;
}
EXPORT int cuGetProcAddress(const char *name, void **found, int version, uint64_t flags) { return cuGetProcAddress_v2(name, found, version, flags, 0); }
EXPORT cudaError_t cudaGetDriverEntryPointByVersion(const char *name, void **found, unsigned version UNUSED, unsigned long long flags UNUSED,
                                                    enum cudaDriverEntryPointQueryResult *status) {
  int missing;
  cuGetProcAddress_v2(name, found, 0, 0, &missing);
  if (status) *status = missing ? cudaDriverEntryPointSymbolNotFound : cudaDriverEntryPointSuccess;
  return cudaSuccess;
}
EXPORT cudaError_t cudaGetDriverEntryPoint(const char *name, void **found, unsigned long long flags, enum cudaDriverEntryPointQueryResult *status) {
  return cudaGetDriverEntryPointByVersion(name, found, 0, flags, status);
}

/* Kernels: their registered names, and launches. None is executed but fills (contents.c). */
#include "null.h"
#include <cupti_runtime_cbid.h>
#include <stdlib.h>
#include <string.h>

/* ---- names, by the address of the host's stub; open addressing ---- */
static struct { const void *stub; const char *name; bool loaded; } *KERNELS;
static size_t room, known;

static size_t place_of(const void *stub) {
  size_t place = (((uintptr_t)stub * 0x9E3779B97F4A7C15ull) >> 20) & (room - 1);
  while (KERNELS[place].stub && KERNELS[place].stub != stub) place = (place + 1) & (room - 1);
  return place;
}
static void remember(const void *stub, const char *name) {
  if (2 * known >= room) {
    size_t before = room;
    typeof(KERNELS) old = KERNELS;
    room = before ? 2 * before : 1 << 18;
    KERNELS = calloc(room, sizeof *KERNELS);
    for (size_t i = 0; i < before; i++)
      if (old[i].stub) KERNELS[place_of(old[i].stub)] = old[i];
    free(old);
  }
  size_t place = place_of(stub);
  known += !KERNELS[place].stub;
  KERNELS[place].stub = stub;
  KERNELS[place].name = name;
}
static const char *name_of(const void *stub) {
  const char *name = room ? KERNELS[place_of(stub)].name : NULL;
  return name ? name : "unknown";
}
static void load(const void *stub) { /* lazily, as CUDA_MODULE_LOADING=LAZY has it: behind whatever the device does */
  if (SET.load_us <= 0 || !room) return;
  size_t place = place_of(stub);
  if (KERNELS[place].loaded) return;
  KERNELS[place].loaded = true;
  host_takes(SET.load_us);
}

EXPORT void **__cudaRegisterFatBinary(void *binary) {
  void **handle = malloc(sizeof *handle);
  *handle = binary;
  return handle;
}
EXPORT void __cudaRegisterFatBinaryEnd(void **handle UNUSED) {}
EXPORT void __cudaUnregisterFatBinary(void **handle UNUSED) {}
EXPORT char __cudaInitModule(void **handle UNUSED) { return 1; }
EXPORT void __cudaRegisterFunction(void **handle UNUSED, const char *stub, char *device_stub UNUSED, const char *name, int limit UNUSED,
                                   void *a UNUSED, void *b UNUSED, void *c UNUSED, void *d UNUSED, int *w UNUSED) {
  LOCK;
  remember(stub, name);
  UNLOCK;
}

/* ---- variables of the device ---- */
static struct { const void *symbol; size_t bytes; void *memory; } VARIABLES[65536];
static int variables;
EXPORT void __cudaRegisterVar(void **handle UNUSED, char *symbol, char *address UNUSED, const char *name UNUSED, int ext UNUSED,
                              size_t bytes, int constant UNUSED, int global UNUSED) {
  LOCK;
  if (variables < (int)(sizeof VARIABLES / sizeof *VARIABLES)) {
    VARIABLES[variables].symbol = symbol;
    VARIABLES[variables++].bytes = bytes;
  }
  UNLOCK;
}
EXPORT void __cudaRegisterManagedVar(void **handle, void **symbol UNUSED, char *address, const char *name, int ext, size_t bytes,
                                     int constant, int global) {
  __cudaRegisterVar(handle, address, address, name, ext, bytes, constant, global);
}
EXPORT cudaError_t cudaGetSymbolAddress(void **address, const void *symbol) {
  for (int i = 0; i < variables; i++)
    if (VARIABLES[i].symbol == symbol) {
      if (!VARIABLES[i].memory) VARIABLES[i].memory = calloc(1, VARIABLES[i].bytes);
      *address = VARIABLES[i].memory;
      return cudaSuccess;
    }
  return fail(cudaErrorInvalidSymbol);
}

/* ---- launches ---- */
static __thread struct { dim3 grid, block; size_t shared; void *stream; } CONFIGURED[8];
static __thread int configured;
EXPORT unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, struct CUstream_st *stream) {
  if (configured == 8) return 1;
  CONFIGURED[configured].grid = grid;
  CONFIGURED[configured].block = block;
  CONFIGURED[configured].shared = shared;
  CONFIGURED[configured++].stream = stream;
  return 0;
}
EXPORT cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream) {
  if (!configured) return fail(cudaErrorInvalidValue);
  configured--;
  *grid = CONFIGURED[configured].grid;
  *block = CONFIGURED[configured].block;
  *shared = CONFIGURED[configured].shared;
  *(void **)stream = CONFIGURED[configured].stream;
  return cudaSuccess;
}

static cudaError_t launch(const void *stub, dim3 grid, dim3 block, void **arguments, cudaStream_t stream) {
  const char *name = name_of(stub);
  struct work work = {.kind = KERNEL, .us = SET.kernel_us, .name = name, .grid = grid, .block = block};
  if (strstr(name, "spin_kernel")) { /* of torch.cuda._sleep: so many cycles */
    work.kind = SPIN;
    work.us = *(int64_t *)arguments[0] / SET.mhz;
  }
  load(stub);
  trace("kernel %.160s, %.1f us on %p", name, work.us, (void *)stream);
  cudaError_t error = submit(stream, work, SET.launch_us);
  if (!error && !stream_of(stream)->capture) holds_a_result(!execute(name, arguments));
  return error;
}

EXPORT cudaError_t __cudaGetKernel(cudaKernel_t *kernel, const void *stub) {
  *kernel = (cudaKernel_t)stub;
  return cudaSuccess;
}
EXPORT cudaError_t cudaLaunchKernel(const void *stub, dim3 grid, dim3 block, void **arguments, size_t shared UNUSED, cudaStream_t stream) {
  API_CALL(cudaLaunchKernel_v7000);
  return launch(stub, grid, block, arguments, stream);
}
EXPORT cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void **arguments, size_t shared UNUSED, cudaStream_t stream) {
  API_CALL(cudaLaunchKernel_v7000);
  return launch((const void *)kernel, grid, block, arguments, stream);
}
EXPORT cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t *how, const void *stub, void **arguments) {
  API_CALL(cudaLaunchKernelExC_v11060);
  return launch(stub, how->gridDim, how->blockDim, arguments, how->stream);
}
EXPORT cudaError_t cudaLaunchCooperativeKernel(const void *stub, dim3 grid, dim3 block, void **arguments, size_t shared UNUSED,
                                               cudaStream_t stream) {
  API_CALL(cudaLaunchCooperativeKernel_v9000);
  return launch(stub, grid, block, arguments, stream);
}

/* ---- what torch asks before it launches ---- */
EXPORT cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *attributes, const void *stub UNUSED) {
  *attributes = (struct cudaFuncAttributes){.maxThreadsPerBlock = 1024, .numRegs = 32, .binaryVersion = 90, .ptxVersion = 90,
                                            .maxDynamicSharedSizeBytes = 49152};
  return cudaSuccess;
}
EXPORT cudaError_t cudaFuncSetAttribute(const void *stub UNUSED, enum cudaFuncAttribute attribute UNUSED, int value UNUSED) { return cudaSuccess; }
EXPORT cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, const void *stub UNUSED, int threads,
                                                                          size_t shared UNUSED, unsigned flags UNUSED) {
  int fit = threads > 0 ? 2048 / threads : 1;
  *blocks = fit < 1 ? 1 : fit > 32 ? 32 : fit;
  return cudaSuccess;
}
EXPORT cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *stub, int threads, size_t shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, stub, threads, shared, 0);
}

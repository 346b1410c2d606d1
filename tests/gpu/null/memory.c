/* Memory: pages of the host that say they are the device's; what copies and fills leave there is in contents.c. */
#include "null.h"
#include <cupti_activity.h>
#include <cupti_runtime_cbid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct block *BLOCKS;
static int blocks, room;
static size_t used[MOST_DEVICES];
static bool holds_results; /* a kernel that was not executed was to write since contents were last written */

void holds_a_result(bool so) { holds_results = so; }
size_t memory_total(void) { return (size_t)(SET.gb * (1 << 30)); }
size_t memory_used(int device) { return used[device]; }

static void keep(void *start, size_t bytes, int kind) {
  LOCK;
  if (blocks == room) BLOCKS = realloc(BLOCKS, (room = room ? 2 * room : 256) * sizeof *BLOCKS);
  BLOCKS[blocks++] = (struct block){start, bytes, kind, this_device};
  if (kind == cudaMemoryTypeDevice) used[this_device] += bytes;
  UNLOCK;
}

struct block block_at(const void *address) {
  struct block found = {0};
  LOCK;
  for (int i = blocks; i-- > 0 && !found.start;)
    if ((char *)address >= BLOCKS[i].start && (char *)address < BLOCKS[i].start + BLOCKS[i].bytes) found = BLOCKS[i];
  UNLOCK;
  return found;
}

static cudaError_t drop(void *start, bool unmap) {
  cudaError_t error = cudaErrorInvalidValue;
  LOCK;
  for (int i = 0; i < blocks; i++)
    if (BLOCKS[i].start == start) {
      forget_fills(start, BLOCKS[i].bytes);
      if (BLOCKS[i].kind == cudaMemoryTypeDevice) used[BLOCKS[i].device] -= BLOCKS[i].bytes;
      if (unmap) munmap(start, BLOCKS[i].bytes);
      BLOCKS[i] = BLOCKS[--blocks];
      error = cudaSuccess;
      break;
    }
  UNLOCK;
  return fail(error);
}

static cudaError_t take(void **start, size_t bytes, int kind) {
  bytes = bytes ? (bytes + 4095) & ~(size_t)4095 : 4096;
  *start = NULL;
  if (kind == cudaMemoryTypeDevice && used[this_device] + bytes > memory_total()) return fail(cudaErrorMemoryAllocation);
  void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return fail(cudaErrorMemoryAllocation);
  keep(pages, bytes, kind);
  *start = pages;
  return cudaSuccess;
}

EXPORT cudaError_t cudaMalloc(void **start, size_t bytes) {
  API_CALL(cudaMalloc_v3020);
  NEEDS_CONTEXT;
  cudaError_t error = unsafe();
  if (error) return error;
  trace("allocation of %zu bytes", bytes);
  host_takes(50 * SET.api_us);
  return take(start, bytes, cudaMemoryTypeDevice);
}
EXPORT cudaError_t cudaMallocAsync(void **start, size_t bytes, cudaStream_t stream UNUSED) { return take(start, bytes, cudaMemoryTypeDevice); }
EXPORT cudaError_t cudaFree(void *start) {
  API_CALL(cudaFree_v3020);
  NEEDS_CONTEXT;
  cudaError_t error = unsafe();
  if (error || !start) return error;
  LOCK;
  ns_t busy = device_busy(this_device); /* the manual: it waits for what may still use the memory */
  UNLOCK;
  wait_until(busy);
  return drop(start, true);
}
EXPORT cudaError_t cudaFreeAsync(void *start, cudaStream_t stream UNUSED) { return drop(start, true); }
EXPORT cudaError_t cudaHostAlloc(void **start, size_t bytes, unsigned flags UNUSED) {
  cudaError_t error = unsafe();
  return error ? error : take(start, bytes, cudaMemoryTypeHost);
}
EXPORT cudaError_t cudaMallocHost(void **start, size_t bytes) { return cudaHostAlloc(start, bytes, 0); }
EXPORT cudaError_t cudaFreeHost(void *start) { return start ? drop(start, true) : cudaSuccess; }
EXPORT cudaError_t cudaHostRegister(void *start, size_t bytes, unsigned flags UNUSED) {
  keep(start, bytes, cudaMemoryTypeHost);
  return cudaSuccess;
}
EXPORT cudaError_t cudaHostUnregister(void *start) { return drop(start, false); }
EXPORT cudaError_t cudaHostGetDevicePointer(void **device, void *host, unsigned flags UNUSED) {
  *device = host;
  return cudaSuccess;
}
EXPORT cudaError_t cudaMemGetInfo(size_t *unused, size_t *total) {
  NEEDS_CONTEXT;
  *total = memory_total();
  *unused = *total - used[this_device];
  host_takes(SET.api_us);
  return cudaSuccess;
}
EXPORT cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *attributes, const void *address) {
  struct block block = block_at(address);
  *attributes = (struct cudaPointerAttributes){.type = block.kind, .device = block.kind ? block.device : -2};
  if (block.kind) attributes->devicePointer = (void *)address;
  if (block.kind == cudaMemoryTypeHost) attributes->hostPointer = (void *)address;
  return cudaSuccess;
}

/* ---- copies ---- */
static bool is_device(struct block block) { return block.kind == cudaMemoryTypeDevice; }

static int kind_of_copy(struct block to, struct block from) {
  if (is_device(to) && is_device(from)) return CUPTI_ACTIVITY_MEMCPY_KIND_DTOD;
  if (is_device(to)) return CUPTI_ACTIVITY_MEMCPY_KIND_HTOD;
  return is_device(from) ? CUPTI_ACTIVITY_MEMCPY_KIND_DTOH : CUPTI_ACTIVITY_MEMCPY_KIND_HTOH;
}

static cudaError_t copy(void *to, const void *from, size_t bytes, cudaStream_t handle, bool waits) {
  struct block target = block_at(to), source = block_at(from);
  struct CUstream_st *stream = stream_of(handle);
  bool within = is_device(target) && is_device(source), pageable = !target.kind || !source.kind;
  struct work work = {.kind = COPY, .bytes = bytes, .copy_kind = kind_of_copy(target, source),
                      .us = SET.copy_us + bytes / ((within ? SET.memory_gbs : SET.bus_gbs) * 1e3)};
  trace("copy of %zu bytes, %.1f us", bytes, work.us);
  if (stream->capture && !is_broken(stream->capture) && pageable) {
    LOCK;
    cudaError_t error = invalidate(stream->capture, cudaErrorStreamCaptureUnsupported);
    UNLOCK;
    return error;
  }
  cudaError_t error = submit(handle, work, SET.launch_us);
  if (error || stream->capture) return error;
  /* A scalar that a kernel should have written is read as 0: `nonzero` would take what is there for a count. */
  bool is_result = holds_results && is_device(source) && !is_device(target) && bytes <= 8;
  if (within) copy_within(to, from, bytes);
  else {
    make_fills(from, bytes);
    make_fills(to, bytes);
    note_written(to, bytes);
    if (is_result) memset(to, 0, bytes);
    else memmove(to, from, bytes);
  }
  if (is_device(target) && !is_device(source)) holds_a_result(false);
  if (waits || (is_device(source) && !target.kind)) wait_until(stream->busy);
  return cudaSuccess;
}

EXPORT cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind UNUSED, cudaStream_t stream) {
  API_CALL(cudaMemcpyAsync_v3020);
  return copy(to, from, bytes, stream, false);
}
EXPORT cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind UNUSED) {
  API_CALL(cudaMemcpy_v3020);
  cudaError_t error = unsafe();
  return error ? error : copy(to, from, bytes, 0, true);
}
EXPORT cudaError_t cudaMemcpyPeerAsync(void *to, int to_device UNUSED, const void *from, int from_device UNUSED, size_t bytes, cudaStream_t stream) {
  API_CALL(cudaMemcpyPeerAsync_v4000);
  return copy(to, from, bytes, stream, false);
}
EXPORT cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width, size_t height,
                                     enum cudaMemcpyKind kind UNUSED, cudaStream_t stream) {
  API_CALL(cudaMemcpy2DAsync_v3020);
  make_fills(from, from_pitch * height);
  make_fills(to, to_pitch * height);
  note_written(to, to_pitch * height);
  for (size_t row = 1; row < height; row++) memmove((char *)to + row * to_pitch, (const char *)from + row * from_pitch, width);
  return copy(to, from, width, stream, false);
}
EXPORT cudaError_t cudaMemcpyToSymbol(const void *symbol, const void *from, size_t bytes, size_t offset, enum cudaMemcpyKind kind UNUSED) {
  void *memory;
  cudaError_t error = cudaGetSymbolAddress(&memory, symbol);
  if (!error) memcpy((char *)memory + offset, from, bytes);
  return error;
}
EXPORT cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream) {
  API_CALL(cudaMemsetAsync_v3020);
  struct work work = {.kind = MEMSET, .bytes = bytes, .us = SET.copy_us + bytes / (2 * SET.memory_gbs * 1e3)};
  cudaError_t error = submit(stream, work, SET.launch_us);
  if (!error && !stream_of(stream)->capture) fill_bytes(to, value, bytes);
  return error;
}
EXPORT cudaError_t cudaMemset(void *to, int value, size_t bytes) {
  cudaError_t error = unsafe();
  return error ? error : cudaMemsetAsync(to, value, bytes, 0);
}

/* ---- what torch asks for and does without ---- */
EXPORT cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t *pool, int device UNUSED) {
  static int only;
  *pool = (cudaMemPool_t)&only;
  return cudaSuccess;
}
EXPORT cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t pool UNUSED, enum cudaMemPoolAttr attribute UNUSED, void *value) {
  *(uint64_t *)value = 0;
  return cudaSuccess;
}
EXPORT cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool UNUSED, enum cudaMemPoolAttr attribute UNUSED, void *value UNUSED) { return cudaSuccess; }
EXPORT cudaError_t cudaMemPoolSetAccess(cudaMemPool_t pool UNUSED, const struct cudaMemAccessDesc *access UNUSED, size_t count UNUSED) { return cudaSuccess; }
EXPORT cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool UNUSED, size_t bytes UNUSED) { return cudaSuccess; }
EXPORT cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t *handle UNUSED, void *start UNUSED) { return fail(cudaErrorNotSupported); }
EXPORT cudaError_t cudaIpcOpenMemHandle(void **start UNUSED, cudaIpcMemHandle_t handle UNUSED, unsigned flags UNUSED) { return fail(cudaErrorNotSupported); }
EXPORT cudaError_t cudaIpcCloseMemHandle(void *start UNUSED) { return fail(cudaErrorNotSupported); }
EXPORT cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t *handle UNUSED, cudaEvent_t event UNUSED) { return fail(cudaErrorNotSupported); }
EXPORT cudaError_t cudaIpcOpenEventHandle(cudaEvent_t *event UNUSED, cudaIpcEventHandle_t handle UNUSED) { return fail(cudaErrorNotSupported); }

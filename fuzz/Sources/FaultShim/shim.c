// Stands between a program and the C library (LD_PRELOAD): records what it does to the files below one folder, in
// order, and makes the n-th call of a kind fail, fall short, or be the last one.
//
// CREDITS_SHIM_ROOT    the folder to watch, an absolute path
// CREDITS_SHIM_RECORD  the file to append the recording to
// CREDITS_SHIM_FAULT   class:n:errno:mode, as numbers, see shim.h
//
// A recording is a row of events: one byte of kind, then little-endian u32 handle, u64 number, u32 length, and so many
// bytes. A handle stands for one open descriptor.
//   O open a file      number = 1 if the call made it      bytes = path below the root
//   W write            number = offset                     bytes = what was written
//   T truncate         number = size
//   S sync             all of a file, or a folder's names
//   Y sync             what the write just before has written
//   D make a folder                                        bytes = path
//   R rename                                               bytes = from, 0, to
//   U unlink, X remove a folder                            bytes = path
//   M marker                                               bytes = what was written to descriptor 1000
//   P a process begins
// Writes through a map are not seen; LMDB makes them to its lock file only.
#include "shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MARKER_DESCRIPTOR 1000
#define MOST_DESCRIPTORS 65536

#define REAL(name) ((__typeof__(&name))real(#name))

static pthread_mutex_t order = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char root[4096];
static size_t root_length;
static int recording = -1;
static uint32_t handles[MOST_DESCRIPTORS];
static uint8_t is_synced[MOST_DESCRIPTORS];
static uint32_t last_handle;

static long counts[SHIM_CLASSES];
static long fired;
static struct { int class; long n; int error; int mode; } fault = {-1, 0, 0, SHIM_COUNT};

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

// MARK: Control

void shim_watch(const char *path) {
  pthread_mutex_lock(&order);
  snprintf(root, sizeof root, "%s", path);
  root_length = strlen(root);
  memset(handles, 0, sizeof handles);
  pthread_mutex_unlock(&order);
}

void shim_arm(int class, long n, int error, int mode) {
  pthread_mutex_lock(&order);
  memset(counts, 0, sizeof counts);
  fired = 0;
  fault.class = class;
  fault.n = n;
  fault.error = error;
  fault.mode = mode;
  pthread_mutex_unlock(&order);
}

void shim_disarm(void) {
  pthread_mutex_lock(&order);
  fault.mode = SHIM_COUNT;
  pthread_mutex_unlock(&order);
}

long shim_count(int class) { return counts[class]; }
long shim_fired(void) { return fired; }

long shim_handles(void) {
  long count = 0;
  for (int descriptor = 0; descriptor < MOST_DESCRIPTORS; descriptor++) count += handles[descriptor] != 0;
  return count;
}

static void put(uint8_t kind, uint32_t handle, uint64_t number, const void *bytes, uint32_t length) {
  if (recording < 0) return;
  uint8_t head[17];
  head[0] = kind;
  memcpy(head + 1, &handle, 4);
  memcpy(head + 5, &number, 8);
  memcpy(head + 13, &length, 4);
  struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, length}};
  if (REAL(writev)(recording, parts, 2) != (ssize_t)(sizeof head + length)) abort();
}

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("CREDITS_SHIM_ROOT");
  if (text) shim_watch(text);
  text = getenv("CREDITS_SHIM_RECORD");
  if (text) {
    int opened = REAL(open)(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    recording = fcntl(opened, F_DUPFD_CLOEXEC, MARKER_DESCRIPTOR + 1);
    REAL(close)(opened);
    put('P', 0, 0, "", 0);
  }
  text = getenv("CREDITS_SHIM_FAULT");
  if (text) {
    int class, error, mode;
    long n;
    if (sscanf(text, "%d:%ld:%d:%d", &class, &n, &error, &mode) == 4) shim_arm(class, n, error, mode);
  }
}

// MARK: Deciding

// The path below the root; NULL for one that is not watched.
static const char *below(const char *path) {
  if (!root_length || strncmp(path, root, root_length) != 0) return NULL;
  if (path[root_length] == '/') return path + root_length + 1;
  return path[root_length] == 0 ? "" : NULL;
}

static uint32_t handle(int descriptor) {
  return descriptor >= 0 && descriptor < MOST_DESCRIPTORS ? handles[descriptor] : 0;
}

enum verdict { GO_ON, FAIL, FALL_SHORT, FAIL_LATE, DIE_HALF };

// Counts a call and says what is to become of it. Called with the lock held.
static enum verdict judge(int class) {
  counts[class]++;
  if (fault.mode == SHIM_COUNT || class != fault.class) return GO_ON;
  int is_it = fault.mode == SHIM_FROM_THERE ? counts[class] >= fault.n : counts[class] == fault.n;
  if (!is_it) return GO_ON;
  fired++;
  switch (fault.mode) {
    case SHIM_SHORT: return FALL_SHORT;
    case SHIM_LATE: return FAIL_LATE;
    case SHIM_KILL_BEFORE: kill(getpid(), SIGKILL); pause(); return GO_ON;
    case SHIM_KILL_HALF: return DIE_HALF;
    default: errno = fault.error; return FAIL;
  }
}

// Runs a call on something watched that has no record of its own.
#define GUARDED(type, is_watched, class, failure, call)                                                               \
  do {                                                                                                                \
    if (!(is_watched)) return (call);                                                                                 \
    pthread_mutex_lock(&order);                                                                                       \
    enum verdict verdict = judge(class);                                                                              \
    pthread_mutex_unlock(&order);                                                                                     \
    if (verdict == FAIL || verdict == FALL_SHORT) { errno = fault.error; return (failure); }                          \
    type result = (call);                                                                                             \
    if (verdict == FAIL_LATE) { errno = fault.error; return (failure); }                                              \
    return result;                                                                                                    \
  } while (0)

// MARK: Opening and closing

static int opening(int folder, const char *path, int flags, mode_t mode) {
  const char *name = below(path);
  if (!name) return REAL(openat)(folder, path, flags, mode);
  pthread_mutex_lock(&order);
  enum verdict verdict = judge(SHIM_OPEN);
  int descriptor = -1;
  if (verdict != FAIL) {
    int is_new = (flags & O_CREAT) && REAL(access)(path, F_OK) != 0;
    descriptor = REAL(openat)(folder, path, flags, mode);
    if (descriptor >= 0 && descriptor < MOST_DESCRIPTORS) {
      handles[descriptor] = ++last_handle;
      is_synced[descriptor] = (flags & O_DSYNC) != 0;
      put('O', last_handle, is_new, name, strlen(name));
      if (flags & O_TRUNC) put('T', last_handle, 0, "", 0);
    }
    if (verdict != GO_ON && descriptor >= 0) {
      handles[descriptor] = 0;
      REAL(close)(descriptor);
      descriptor = -1;
      errno = fault.error;
    }
  }
  pthread_mutex_unlock(&order);
  return descriptor;
}

#define MODE_OF(flags)                                                                                                \
  mode_t mode = 0;                                                                                                    \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                                            \
    va_list rest;                                                                                                     \
    va_start(rest, flags);                                                                                            \
    mode = va_arg(rest, mode_t);                                                                                      \
    va_end(rest);                                                                                                     \
  }

int open(const char *path, int flags, ...) { MODE_OF(flags) return opening(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return opening(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE_OF(flags) return opening(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE_OF(flags) return opening(folder, path, flags, mode); }

int close(int descriptor) {
  pthread_mutex_lock(&order);
  if (handle(descriptor)) handles[descriptor] = 0;
  int result = REAL(close)(descriptor);
  pthread_mutex_unlock(&order);
  return result;
}

// MARK: Writing

static ssize_t writing(int descriptor, const struct iovec *parts, int count, off_t offset, int has_offset) {
  if (descriptor == MARKER_DESCRIPTOR) {
    pthread_mutex_lock(&order);
    for (int i = 0; i < count; i++) put('M', 0, 0, parts[i].iov_base, parts[i].iov_len);
    ssize_t result = REAL(writev)(descriptor, parts, count);
    pthread_mutex_unlock(&order);
    return result;
  }
  if (!handle(descriptor)) {
    return has_offset ? REAL(pwritev)(descriptor, parts, count, offset) : REAL(writev)(descriptor, parts, count);
  }
  pthread_mutex_lock(&order);
  enum verdict verdict = judge(SHIM_WRITE);
  ssize_t result = -1;
  if (verdict != FAIL) {
    size_t length = 0;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    if (!has_offset) offset = REAL(lseek)(descriptor, 0, SEEK_CUR);
    if (verdict == FALL_SHORT) {
      // Half of it, up to a sector's end where it is longer than one.
      size_t half = length > 1024 ? length / 2 / 512 * 512 : length / 2;
      char *bytes = malloc(length + 1), *end = bytes;
      for (int i = 0; i < count; i++) end = mempcpy(end, parts[i].iov_base, parts[i].iov_len);
      result = has_offset ? REAL(pwrite)(descriptor, bytes, half, offset) : REAL(write)(descriptor, bytes, half);
      free(bytes);
    } else {
      result = has_offset ? REAL(pwritev)(descriptor, parts, count, offset) : REAL(writev)(descriptor, parts, count);
    }
    uint64_t place = offset;
    size_t left = result > 0 ? result : 0;
    for (int i = 0; i < count && left > 0; i++) {
      size_t part = parts[i].iov_len < left ? parts[i].iov_len : left;
      put('W', handles[descriptor], place, parts[i].iov_base, part);
      place += part;
      left -= part;
    }
    if (verdict == DIE_HALF) { kill(getpid(), SIGKILL); pause(); }
    if (is_synced[descriptor] && result > 0) put('Y', handles[descriptor], offset, "", 0);
    if (verdict == FAIL_LATE) { result = -1; errno = fault.error; }
  }
  pthread_mutex_unlock(&order);
  return result;
}

ssize_t write(int descriptor, const void *bytes, size_t length) {
  struct iovec part = {(void *)bytes, length};
  return writing(descriptor, &part, 1, 0, 0);
}
ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) {
  struct iovec part = {(void *)bytes, length};
  return writing(descriptor, &part, 1, offset, 1);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t offset) {
  struct iovec part = {(void *)bytes, length};
  return writing(descriptor, &part, 1, offset, 1);
}
ssize_t writev(int descriptor, const struct iovec *parts, int count) { return writing(descriptor, parts, count, 0, 0); }
ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
  return writing(descriptor, parts, count, offset, 1);
}
ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off_t offset) {
  return writing(descriptor, parts, count, offset, 1);
}

static int truncating(int descriptor, off_t size) {
  if (!handle(descriptor)) return REAL(ftruncate)(descriptor, size);
  pthread_mutex_lock(&order);
  enum verdict verdict = judge(SHIM_TRUNCATE);
  int result = -1;
  if (verdict != FAIL) {
    result = REAL(ftruncate)(descriptor, size);
    if (result == 0) put('T', handles[descriptor], size, "", 0);
    if (verdict != GO_ON) { result = -1; errno = fault.error; }
  }
  pthread_mutex_unlock(&order);
  return result;
}
int ftruncate(int descriptor, off_t size) { return truncating(descriptor, size); }
int ftruncate64(int descriptor, off_t size) { return truncating(descriptor, size); }

static int allocating(int descriptor, off_t offset, off_t length) {
  if (!handle(descriptor)) return REAL(posix_fallocate)(descriptor, offset, length);
  pthread_mutex_lock(&order);
  enum verdict verdict = judge(SHIM_TRUNCATE);
  int result = fault.error;
  if (verdict != FAIL) {
    result = REAL(posix_fallocate)(descriptor, offset, length);
    // It never makes a file smaller, and is called for files that are smaller only.
    if (result == 0) put('T', handles[descriptor], offset + length, "", 0);
    if (verdict != GO_ON) result = fault.error;
  }
  pthread_mutex_unlock(&order);
  return result;
}
int posix_fallocate(int descriptor, off_t offset, off_t length) { return allocating(descriptor, offset, length); }
int posix_fallocate64(int descriptor, off_t offset, off_t length) { return allocating(descriptor, offset, length); }

// MARK: Syncing

static int syncing(int descriptor, int (*call)(int)) {
  if (!handle(descriptor)) return call(descriptor);
  pthread_mutex_lock(&order);
  enum verdict verdict = judge(SHIM_SYNC);
  int result = -1;
  if (verdict != FAIL) {
    result = call(descriptor);
    if (result == 0) put('S', handles[descriptor], 0, "", 0);
    if (verdict != GO_ON) { result = -1; errno = fault.error; }
  }
  pthread_mutex_unlock(&order);
  return result;
}
int fsync(int descriptor) { return syncing(descriptor, REAL(fsync)); }
int fdatasync(int descriptor) { return syncing(descriptor, REAL(fdatasync)); }

// MARK: Names

int rename(const char *from, const char *to) {
  const char *old = below(from), *new = below(to);
  if (!old || !new) return REAL(rename)(from, to);
  pthread_mutex_lock(&order);
  enum verdict verdict = judge(SHIM_RENAME);
  int result = -1;
  if (verdict != FAIL) {
    result = REAL(rename)(from, to);
    char names[8192];
    size_t length = snprintf(names, sizeof names, "%s%c%s", old, 0, new);
    if (result == 0) put('R', 0, 0, names, length);
    if (verdict != GO_ON) { result = -1; errno = fault.error; }
  }
  pthread_mutex_unlock(&order);
  return result;
}

static int naming(const char *path, int class, uint8_t kind, int (*call)(const char *)) {
  const char *name = below(path);
  if (!name) return call(path);
  pthread_mutex_lock(&order);
  enum verdict verdict = judge(class);
  int result = -1;
  if (verdict != FAIL) {
    result = call(path);
    if (result == 0) put(kind, 0, 0, name, strlen(name));
    if (verdict != GO_ON) { result = -1; errno = fault.error; }
  }
  pthread_mutex_unlock(&order);
  return result;
}
int unlink(const char *path) { return naming(path, SHIM_UNLINK, 'U', REAL(unlink)); }
int rmdir(const char *path) { return naming(path, SHIM_UNLINK, 'X', REAL(rmdir)); }

int mkdir(const char *path, mode_t mode) {
  const char *name = below(path);
  if (!name) return REAL(mkdir)(path, mode);
  pthread_mutex_lock(&order);
  enum verdict verdict = judge(SHIM_MKDIR);
  int result = verdict == FAIL ? -1 : REAL(mkdir)(path, mode);
  if (result == 0) put('D', 0, 0, name, strlen(name));
  pthread_mutex_unlock(&order);
  return result;
}
char *mkdtemp(char *template) {
  if (!below(template)) return REAL(mkdtemp)(template);
  pthread_mutex_lock(&order);
  enum verdict verdict = judge(SHIM_MKDIR);
  char *result = verdict == FAIL ? NULL : REAL(mkdtemp)(template);
  if (result) put('D', 0, 0, below(result), strlen(below(result)));
  pthread_mutex_unlock(&order);
  return result;
}

// MARK: Calls that change no file

void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
  // Memory of no file is the program's own business, except the large tables of a store.
  int is_watched = handle(descriptor) ||
                   (root_length && (flags & MAP_NORESERVE) && descriptor < 0 && length >= 1 << 20);
  GUARDED(void *, is_watched, SHIM_MMAP, MAP_FAILED,
          REAL(mmap)(address, length, protection, flags, descriptor, offset));
}
void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
  return mmap(address, length, protection, flags, descriptor, offset);
}
int stat(const char *restrict path, struct stat *restrict status) {
  GUARDED(int, below(path), SHIM_STAT, -1, REAL(stat)(path, status));
}
int fstat(int descriptor, struct stat *status) {
  GUARDED(int, handle(descriptor), SHIM_FSTAT, -1, REAL(fstat)(descriptor, status));
}
int flock(int descriptor, int operation) {
  GUARDED(int, handle(descriptor) && !(operation & LOCK_UN), SHIM_LOCK, -1, REAL(flock)(descriptor, operation));
}
ssize_t pread(int descriptor, void *bytes, size_t length, off_t offset) {
  GUARDED(ssize_t, handle(descriptor), SHIM_READ, -1, REAL(pread)(descriptor, bytes, length, offset));
}
ssize_t pread64(int descriptor, void *bytes, size_t length, off_t offset) {
  return pread(descriptor, bytes, length, offset);
}
off_t lseek(int descriptor, off_t offset, int whence) {
  GUARDED(off_t, handle(descriptor), SHIM_SEEK, -1, REAL(lseek)(descriptor, offset, whence));
}
off64_t lseek64(int descriptor, off64_t offset, int whence) { return lseek(descriptor, offset, whence); }
DIR *opendir(const char *path) { GUARDED(DIR *, below(path), SHIM_LIST, NULL, REAL(opendir)(path)); }

static int controlling(int descriptor, int command, void *argument) {
  int is_lock = command == F_SETLK || command == F_SETLKW || command == F_GETLK;
  GUARDED(int, handle(descriptor) && is_lock, SHIM_LOCK, -1, REAL(fcntl)(descriptor, command, argument));
}
int fcntl(int descriptor, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return controlling(descriptor, command, argument);
}
int fcntl64(int descriptor, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return controlling(descriptor, command, argument);
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*start)(void *),
                   void *restrict argument) {
  // Only the store's threads are counted: those of the runtime are made with attributes.
  pthread_mutex_lock(&order);
  enum verdict verdict = root_length && !attributes ? judge(SHIM_THREAD) : GO_ON;
  pthread_mutex_unlock(&order);
  if (verdict != GO_ON) return fault.error;
  return REAL(pthread_create)(thread, attributes, start, argument);
}

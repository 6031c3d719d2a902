// Records what a process does to the files of one folder, in order, so that a test can replay it up to any moment.
// Loaded with LD_PRELOAD; DEVICEMESH_RECORD_FOLDER names the folder, DEVICEMESH_RECORD_FILE the log. A record is
// one byte for the kind, the lengths of two texts (32 bits each), offset and length (64 bits each), the texts, the data.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static const char *folder;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_ours(const char *path) { return folder && strncmp(path, folder, strlen(folder)) == 0; }

__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("DEVICEMESH_RECORD_FILE");
  folder = getenv("DEVICEMESH_RECORD_FOLDER");
  if (file && folder) log_fd = REAL(open)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log_fd < 0) folder = NULL;
}

static void put(const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    ssize_t written = REAL(write)(log_fd, at, length);
    if (written < 0) abort();
    at += written;
    length -= (size_t)written;
  }
}

static void record(char kind, const char *path, const char *other, uint64_t offset, uint64_t length, const void *data) {
  uint32_t path_length = (uint32_t)strlen(path), other_length = other ? (uint32_t)strlen(other) : 0;
  put(&kind, 1);
  put(&path_length, 4);
  put(&other_length, 4);
  put(&offset, 8);
  put(&length, 8);
  put(path, path_length);
  if (other) put(other, other_length);
  if (data) put(data, length);
}

// The path of an open file of the folder, or 0.
static int path_of(int fd, char *path) {
  char link[64];
  if (!folder || fd < 0 || fd == log_fd) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, 4095);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

static int opened(int fd, const char *path, int flags, int existed) {
  if (fd >= 0 && is_ours(path)) {
    if (!existed) record('c', path, NULL, 0, 0, NULL);
    else if (flags & O_TRUNC) record('t', path, NULL, 0, 0, NULL);
  }
  return fd;
}

#define OPEN(name)                                                                  \
  int name(const char *path, int flags, ...) {                                      \
    va_list rest;                                                                   \
    va_start(rest, flags);                                                          \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;       \
    va_end(rest);                                                                   \
    if (!folder || !is_ours(path)) return REAL(name)(path, flags, mode);            \
    pthread_mutex_lock(&lock);                                                      \
    int existed = access(path, F_OK) == 0;                                          \
    int fd = opened(REAL(name)(path, flags, mode), path, flags, existed);           \
    pthread_mutex_unlock(&lock);                                                    \
    return fd;                                                                      \
  }
OPEN(open)
OPEN(open64)

// Runs `call` and records it if it succeeded, both under the lock: the log has the order of the file system.
#define RECORDED(type, fd, call, kind, offset, length, data) \
  do {                                                       \
    char path[4096];                                         \
    if (!path_of(fd, path)) return call;                     \
    pthread_mutex_lock(&lock);                               \
    uint64_t at = (uint64_t)(offset);                        \
    type result = call;                                      \
    if (result >= 0) record(kind, path, NULL, at, length, data); \
    pthread_mutex_unlock(&lock);                             \
    return result;                                           \
  } while (0)

static off_t place_of(int fd) {
  struct stat facts;
  if (fcntl(fd, F_GETFL) & O_APPEND) return fstat(fd, &facts) == 0 ? facts.st_size : 0;
  return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t count) {
  RECORDED(ssize_t, fd, REAL(write)(fd, data, count), 'w', place_of(fd), (uint64_t)result, data);
}
ssize_t pwrite(int fd, const void *data, size_t count, off_t offset) {
  RECORDED(ssize_t, fd, REAL(pwrite)(fd, data, count, offset), 'w', offset, (uint64_t)result, data);
}
ssize_t pwrite64(int fd, const void *data, size_t count, off64_t offset) {
  RECORDED(ssize_t, fd, REAL(pwrite64)(fd, data, count, offset), 'w', offset, (uint64_t)result, data);
}
int fsync(int fd) { RECORDED(int, fd, REAL(fsync)(fd), 's', 0, 0, NULL); }
int fdatasync(int fd) { RECORDED(int, fd, REAL(fdatasync)(fd), 's', 0, 0, NULL); }
int ftruncate(int fd, off_t length) { RECORDED(int, fd, REAL(ftruncate)(fd, length), 't', length, 0, NULL); }
int ftruncate64(int fd, off64_t length) { RECORDED(int, fd, REAL(ftruncate64)(fd, length), 't', length, 0, NULL); }

#define NAMED(call, kind, path, other)                                 \
  do {                                                                 \
    if (!folder || !is_ours(path)) return call;                        \
    pthread_mutex_lock(&lock);                                         \
    int result = call;                                                 \
    if (result == 0) record(kind, path, other, 0, 0, NULL);            \
    pthread_mutex_unlock(&lock);                                       \
    return result;                                                     \
  } while (0)

int rename(const char *path, const char *to) { NAMED(REAL(rename)(path, to), 'r', path, to); }
int unlink(const char *path) { NAMED(REAL(unlink)(path), 'u', path, NULL); }
int remove(const char *path) { NAMED(REAL(remove)(path), 'u', path, NULL); }

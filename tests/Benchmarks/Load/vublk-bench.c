/*
 * vublk-bench: a vhost-user-blk front end that generates load, checks data,
 * and survives daemon crashes with a state file.
 *
 * It is written from the vhost-user and virtio 1.2 specifications.
 * Build: gcc -O2 -Wall -pthread -o vublk-bench vublk-bench.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- wire constants (vhost-user, virtio, virtio-blk specifications) ---- */
enum { R_GET_FEATURES = 1, R_SET_FEATURES, R_SET_OWNER, R_RESET_OWNER, R_SET_MEM_TABLE,
       R_SET_LOG_BASE, R_SET_LOG_FD, R_SET_VRING_NUM, R_SET_VRING_ADDR, R_SET_VRING_BASE,
       R_GET_VRING_BASE, R_SET_VRING_KICK, R_SET_VRING_CALL, R_SET_VRING_ERR,
       R_GET_PROTOCOL_FEATURES, R_SET_PROTOCOL_FEATURES, R_GET_QUEUE_NUM, R_SET_VRING_ENABLE,
       R_SET_BACKEND_REQ_FD = 21, R_IOTLB = 22, R_GET_CONFIG = 24, R_SET_CONFIG = 25,
       R_POSTCOPY_ADVISE = 28, R_POSTCOPY_LISTEN = 29, R_POSTCOPY_END = 30,
       R_GET_INFLIGHT_FD = 31, R_SET_INFLIGHT_FD = 32, R_RESET_DEVICE = 34,
       R_GET_MAX_MEM_SLOTS = 36, R_ADD_MEM_REG = 37, R_REM_MEM_REG = 38,
       R_SET_STATUS = 39, R_GET_STATUS = 40 };
enum { FL_VERSION = 1, FL_REPLY = 4, FL_NEED_REPLY = 8 };
enum { PF_MQ = 0, PF_REPLY_ACK = 3, PF_BACKEND_REQ = 5, PF_CONFIG = 9, PF_INFLIGHT = 12,
       PF_MEM_SLOTS = 15 };
enum { F_RO = 5, F_BLK_SIZE = 6, F_FLUSH = 9, F_MQ = 12, F_DISCARD = 13, F_WRITE_ZEROES = 14,
       F_INDIRECT = 28, F_EVENT_IDX = 29, F_PROTOCOL = 30, F_VERSION_1 = 32 };
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };
#define BIT(n) (1ULL << (n))

struct desc { uint64_t addr; uint32_t len; uint16_t flags, next; };
struct avail { uint16_t flags, idx, ring[]; };
struct used_elem { uint32_t id, len; };
struct used { uint16_t flags, idx; struct used_elem ring[]; };
struct blk_hdr { uint32_t type, reserved; uint64_t sector; };
struct blk_range { uint64_t sector; uint32_t num, flags; };
struct msg_hdr { uint32_t request, flags, size; };
struct mem_region { uint64_t gpa, size, uva, off; };
struct vring_addr { uint32_t index, flags; uint64_t desc, used, avail, log; };
struct vring_state { uint32_t index, num; };

/* ---- options ---- */
static struct {
    const char *socket, *label, *state, *check_state;
    char rw[16];
    int read_pct, flush_pct, discard_pct, zero_pct, queues, depth, seconds_ms, segs, threads, regions, cpu;
    uint32_t bs;
    uint64_t range, ops, seed;
    int pid, ramp_ms, qsize;
    double rate;
    bool verify, init, verify_all, keep_acked, poll, no_indirect, no_event_idx, info, tsv, tsv_header,
         watch_config;
} o = { .rw = "randread", .read_pct = 70, .queues = 1, .depth = 32, .seconds_ms = 3000, .segs = 1,
        .threads = 1, .regions = 1, .cpu = -1, .bs = 4096, .seed = 1, .ramp_ms = 200 };

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "vublk-bench: ");
    vfprintf(stderr, fmt, ap);
    fprintf(stderr, "\n");
    va_end(ap);
    exit(2);
}
static uint64_t mix64(uint64_t x)
{
    x ^= x >> 30; x *= 0xbf58476d1ce4e5b9ull;
    x ^= x >> 27; x *= 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}
static uint64_t rnd(uint64_t *s) { return mix64(*s += 0x9e3779b97f4a7c15ull); }

/* CPU nanoseconds used by all threads of a process; -1 when it is gone. */
static double proc_cpu(int pid)
{
    clockid_t c;
    struct timespec t;
    if (pid <= 0 || clock_getcpuclockid(pid, &c) || clock_gettime(c, &t)) return -1;
    return t.tv_sec + t.tv_nsec / 1e9;
}
static bool proc_alive(int pid)
{
    char p[64], buf[512];
    snprintf(p, sizeof p, "/proc/%d/stat", pid);
    int fd = open(p, O_RDONLY);
    if (fd < 0) return false;
    ssize_t n = read(fd, buf, sizeof buf - 1);
    close(fd);
    if (n <= 0) return false;
    buf[n] = 0;
    char *q = strrchr(buf, ')');
    return q && q[2] != 'Z' && q[2] != 'X';
}

/* ---- guest memory: one memfd, seen by the back end as o.regions regions ---- */
#define GPA_BASE 0x40000000ull
#define GPA_GAP 0x40000000ull
struct gmem { int fd; uint8_t *base; size_t size, regsize; int regions; size_t brk; };

static void gmem_init(struct gmem *m, size_t size, int regions)
{
    size_t page = 1 << 21;
    m->regions = regions;
    m->regsize = ((size / regions) + page - 1) & ~(page - 1);
    m->size = m->regsize * regions;
    m->fd = memfd_create("vublk-bench", MFD_CLOEXEC);
    if (m->fd < 0 || ftruncate(m->fd, m->size)) die("memfd: %s", strerror(errno));
    m->base = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, m->fd, 0);
    if (m->base == MAP_FAILED) die("mmap: %s", strerror(errno));
    m->brk = 0;
}
/* Guest physical address of a pointer into guest memory. */
static uint64_t gpa(struct gmem *m, const void *p)
{
    size_t off = (const uint8_t *)p - m->base;
    return GPA_BASE + off + (off / m->regsize) * GPA_GAP;
}
/* Allocations never straddle two regions. */
static void *galloc(struct gmem *m, size_t len, size_t align)
{
    size_t at = (m->brk + align - 1) & ~(align - 1);
    if (at / m->regsize != (at + len - 1) / m->regsize)
        at = (at / m->regsize + 1) * m->regsize;
    if (at + len > m->size) die("guest memory exhausted");
    m->brk = at + len;
    memset(m->base + at, 0, len);
    return m->base + at;
}

/* ---- vhost-user connection ---- */
struct vu { int fd, backend_fd; uint64_t feat_off, feat, pf_off, pf; uint64_t nqueues;
            uint8_t config[64]; uint64_t capacity; int timeout_ms; int ack_errors; };

static int vu_connect(const char *path, int timeout_ms)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof a.sun_path) die("socket path too long");
    strcpy(a.sun_path, path);
    uint64_t end = now_ns() + timeout_ms * 1000000ull;
    for (;;) {
        /* non-blocking: a full backlog must not hang the caller */
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (!connect(fd, (void *)&a, sizeof a)) { fcntl(fd, F_SETFL, 0); return fd; }
        close(fd);
        if (now_ns() > end || (o.pid && !proc_alive(o.pid))) return -1;
        usleep(2000);
    }
}
/* Sends raw bytes with file descriptors; never raises SIGPIPE. */
static int send_raw(int fd, const void *buf, size_t len, const int *fds, int nfds)
{
    char cbuf[CMSG_SPACE(sizeof(int) * 253)];
    size_t done = 0;
    while (done < len) {
        struct iovec iov = { (char *)buf + done, len - done };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
        if (nfds && !done) {
            m.msg_control = cbuf;
            m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
            memset(cbuf, 0, m.msg_controllen);
            struct cmsghdr *c = CMSG_FIRSTHDR(&m);
            c->cmsg_level = SOL_SOCKET;
            c->cmsg_type = SCM_RIGHTS;
            c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
            memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
        }
        ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        done += n;
    }
    return 0;
}
static int vu_send(struct vu *v, uint32_t req, uint32_t flags, const void *p, uint32_t size,
                   const int *fds, int nfds)
{
    uint8_t buf[sizeof(struct msg_hdr) + 4096];
    struct msg_hdr h = { req, FL_VERSION | flags, size };
    if (size > 4096) return -1;
    memcpy(buf, &h, sizeof h);
    if (size) memcpy(buf + sizeof h, p, size);
    return send_raw(v->fd, buf, sizeof h + size, fds, nfds);
}
static int read_full(int fd, void *buf, size_t len, int timeout_ms, int *rfd)
{
    size_t done = 0;
    while (done < len) {
        struct pollfd pf = { fd, POLLIN, 0 };
        int r = poll(&pf, 1, timeout_ms);
        if (r == 0) return -2;                       /* silent */
        char cbuf[CMSG_SPACE(sizeof(int) * 8)];
        struct iovec iov = { (char *)buf + done, len - done };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = cbuf, .msg_controllen = sizeof cbuf };
        ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;                       /* closed */
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
                int k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int), *p = (int *)CMSG_DATA(c);
                for (int i = 0; i < k; i++) { if (rfd && *rfd < 0) *rfd = p[i]; else close(p[i]); }
            }
        done += n;
    }
    return 0;
}
/* Waits for one reply; returns payload size, -1 closed, -2 silent, -3 malformed. */
static int vu_recv(struct vu *v, uint32_t req, void *buf, uint32_t cap, int *rfd)
{
    struct msg_hdr h;
    int r = read_full(v->fd, &h, sizeof h, v->timeout_ms, rfd);
    if (r) return r;
    if (h.request != req || (h.flags & 7) != (FL_VERSION | FL_REPLY) || h.size > 4096) return -3;
    uint8_t tmp[4096];
    if (h.size && (r = read_full(v->fd, tmp, h.size, v->timeout_ms, rfd))) return r;
    memcpy(buf, tmp, h.size < cap ? h.size : cap);
    return h.size;
}
static int vu_get_u64(struct vu *v, uint32_t req, uint64_t *out)
{
    if (vu_send(v, req, 0, NULL, 0, NULL, 0)) return -1;
    int r = vu_recv(v, req, out, 8, NULL);
    return r == 8 ? 0 : r < 0 ? r : -3;
}
/* A request without a reply of its own: acknowledged where REPLY_ACK was negotiated. */
static int vu_set(struct vu *v, uint32_t req, const void *p, uint32_t size, const int *fds, int nfds)
{
    bool ack = v->pf & BIT(PF_REPLY_ACK);
    if (vu_send(v, req, ack ? FL_NEED_REPLY : 0, p, size, fds, nfds)) return -1;
    if (!ack) return 0;
    uint64_t code = 0;
    int r = vu_recv(v, req, &code, 8, NULL);
    if (r < 0) return r;
    if (code) v->ack_errors++;
    return code ? -4 : 0;
}
static int vu_get_config(struct vu *v, uint32_t off, uint32_t size, uint8_t *out)
{
    uint8_t buf[12 + 256] = {0};
    memcpy(buf, &off, 4);
    memcpy(buf + 4, &size, 4);
    if (vu_send(v, R_GET_CONFIG, 0, buf, 12 + size, NULL, 0)) return -1;
    int r = vu_recv(v, R_GET_CONFIG, buf, sizeof buf, NULL);
    if (r < 0) return r;
    if (r != (int)(12 + size)) return -3;
    memcpy(out, buf + 12, size);
    return 0;
}
static uint64_t want_features = 0;

static int vu_negotiate(struct vu *v)
{
    int r;
    v->backend_fd = -1;
    if ((r = vu_get_u64(v, R_GET_FEATURES, &v->feat_off))) return r;
    v->pf = 0;
    if (v->feat_off & BIT(F_PROTOCOL)) {
        if ((r = vu_get_u64(v, R_GET_PROTOCOL_FEATURES, &v->pf_off))) return r;
        uint64_t want = BIT(PF_MQ) | BIT(PF_REPLY_ACK) | BIT(PF_CONFIG) | BIT(PF_MEM_SLOTS);
        if (o.watch_config) want |= BIT(PF_BACKEND_REQ);
        uint64_t pf = v->pf_off & want;
        if (vu_send(v, R_SET_PROTOCOL_FEATURES, 0, &pf, 8, NULL, 0)) return -1;
        v->pf = pf;
    }
    v->nqueues = 1;
    if (v->pf & BIT(PF_MQ) && (r = vu_get_u64(v, R_GET_QUEUE_NUM, &v->nqueues))) return r;
    if ((r = vu_set(v, R_SET_OWNER, NULL, 0, NULL, 0)) == -1 || r == -2 || r == -3) return r;
    v->feat = v->feat_off & want_features;
    if (vu_set(v, R_SET_FEATURES, &v->feat, 8, NULL, 0) < 0) return -1;
    if (v->pf & BIT(PF_CONFIG)) {
        if ((r = vu_get_config(v, 0, 60, v->config))) return r;
        memcpy(&v->capacity, v->config, 8);
    }
    return 0;
}
static int vu_set_mem(struct vu *v, struct gmem *m)
{
    struct { uint32_t n, pad; struct mem_region r[8]; } t = { .n = m->regions };
    int fds[8];
    for (int i = 0; i < m->regions; i++) {
        t.r[i] = (struct mem_region){ gpa(m, m->base + i * m->regsize), m->regsize,
                                      (uintptr_t)m->base + i * m->regsize, i * m->regsize };
        fds[i] = m->fd;
    }
    return vu_set(v, R_SET_MEM_TABLE, &t, 8 + 32 * m->regions, fds, m->regions);
}

/* ---- virtqueue ---- */
struct vq { struct gmem *m; struct desc *desc; volatile struct avail *avail; volatile struct used *used;
            int kick, call, index; uint16_t size, avail_idx, last_used, kicked_idx; bool event_idx;
            uint64_t kicks, calls; };

static volatile uint16_t *used_event(struct vq *q) { return &q->avail->ring[q->size]; }
static volatile uint16_t *avail_event(struct vq *q) { return (volatile uint16_t *)&q->used->ring[q->size]; }

static void vq_alloc(struct vq *q, struct gmem *m, int index, int size, bool event_idx)
{
    memset(q, 0, sizeof *q);
    q->m = m; q->index = index; q->size = size; q->event_idx = event_idx;
    q->desc = galloc(m, 16 * size, 4096);
    q->avail = galloc(m, 6 + 2 * size, 64);
    q->used = galloc(m, 6 + 8 * size, 4096);
    q->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    q->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static int vq_start(struct vu *v, struct vq *q)
{
    struct vring_state s = { q->index, q->size };
    int r;
    if ((r = vu_set(v, R_SET_VRING_NUM, &s, 8, NULL, 0))) return r;
    s.num = 0;
    if ((r = vu_set(v, R_SET_VRING_BASE, &s, 8, NULL, 0))) return r;
    struct vring_addr a = { .index = q->index, .desc = (uintptr_t)q->desc, .used = (uintptr_t)q->used,
                            .avail = (uintptr_t)q->avail };
    if ((r = vu_set(v, R_SET_VRING_ADDR, &a, sizeof a, NULL, 0))) return r;
    uint64_t i = q->index;
    if ((r = vu_set(v, R_SET_VRING_CALL, &i, 8, &q->call, 1))) return r;
    if ((r = vu_set(v, R_SET_VRING_KICK, &i, 8, &q->kick, 1))) return r;
    if (v->feat & BIT(F_PROTOCOL)) {
        s.num = 1;
        if ((r = vu_set(v, R_SET_VRING_ENABLE, &s, 8, NULL, 0))) return r;
    }
    return 0;
}
static void vq_push(struct vq *q, uint16_t head)
{
    q->avail->ring[q->avail_idx++ & (q->size - 1)] = head;
}
/* Publishes what was pushed and kicks when the device asked for it. */
static void vq_publish(struct vq *q)
{
    uint16_t old = q->kicked_idx, new = q->avail_idx;
    if (old == new) return;
    atomic_thread_fence(memory_order_release);
    q->avail->idx = new;
    atomic_thread_fence(memory_order_seq_cst);
    q->kicked_idx = new;
    bool need = q->event_idx ? (uint16_t)(new - *avail_event(q) - 1) < (uint16_t)(new - old)
                             : !(q->used->flags & 1);
    if (need) {
        uint64_t one = 1;
        if (write(q->kick, &one, 8) == 8) q->kicks++;
    }
}
static void vq_suppress_calls(struct vq *q)
{
    if (q->event_idx) *used_event(q) = q->last_used + 0x8000; else q->avail->flags = 1;
}
/* Asks for a call at the next completion; true when completions are already there. */
static bool vq_arm_calls(struct vq *q)
{
    if (q->event_idx) *used_event(q) = q->last_used; else q->avail->flags = 0;
    atomic_thread_fence(memory_order_seq_cst);
    return q->used->idx != q->last_used;
}

/* ---- latency histogram: 64 steps per power of two ---- */
#define HB 64
struct hist { uint64_t n[64 * HB]; uint64_t max, count; };
static void hist_add(struct hist *h, uint64_t ns)
{
    int e = ns < HB ? 0 : 63 - __builtin_clzll(ns) - 5;
    h->n[(e ? e * HB : 0) + (ns >> (e ? e - 1 : 0)) - (e ? HB : 0)]++;
    h->count++;
    if (ns > h->max) h->max = ns;
}
static double hist_pct(struct hist *h, double p)
{
    uint64_t want = (uint64_t)(p * h->count), seen = 0;
    for (int i = 0; i < 64 * HB; i++) {
        seen += h->n[i];
        if (seen > want) {
            int e = i / HB;
            uint64_t v = e ? ((uint64_t)(i - e * HB + HB)) << (e - 1) : (uint64_t)i;
            return v / 1000.0;
        }
    }
    return h->max / 1000.0;
}

/* ---- data patterns and the crash-proof state ---- */
#define MAGIC 0x56424c4b42454e43ull
#define GEN_ZERO 0xfffffffeu      /* block was zeroed: must read as zeroes */
#define GEN_ANY 0xffffffffu       /* block was discarded: any content */
struct state_hdr { uint64_t magic, blocks, bs, run; };
static uint32_t *g_issued, *g_acked, *g_flushed;   /* one entry per block of o.bs */
static uint8_t *g_busy;
static uint64_t g_blocks, g_run = 0x1234;      /* run: tells this run's data from an earlier run's */

static void fill(uint8_t *buf, uint64_t sector, uint32_t len, uint32_t gen)
{
    for (uint32_t s = 0; s < len / 512; s++) {
        uint64_t *w = (uint64_t *)(buf + s * 512), k = mix64((sector + s) * 0x9e3779b1u + gen + g_run);
        w[0] = MAGIC; w[1] = sector + s; w[2] = gen; w[3] = k;
        for (int i = 4; i < 64; i++) w[i] = k + (uint64_t)i * 0x9e3779b97f4a7c15ull;
    }
}
/* Generation found in one sector; 0 all zeroes, -1 torn or foreign content. */
static int64_t sector_gen(const uint8_t *p, uint64_t sector)
{
    const uint64_t *w = (const uint64_t *)p;
    if (w[0] == 0) {
        for (int i = 0; i < 64; i++) if (w[i]) return -1;
        return 0;
    }
    if (w[0] != MAGIC || w[1] != sector || w[2] >= GEN_ZERO) return -1;
    uint64_t k = mix64(sector * 0x9e3779b1u + (uint32_t)w[2] + g_run);
    if (w[3] != k) return -1;
    for (int i = 4; i < 64; i++) if (w[i] != k + (uint64_t)i * 0x9e3779b97f4a7c15ull) return -1;
    return w[2];
}
static void state_open(const char *path, bool create)
{
    size_t len = sizeof(struct state_hdr) + g_blocks * 12;
    void *p;
    if (path) {
        int fd = open(path, create ? O_RDWR | O_CREAT | O_TRUNC : O_RDWR, 0644);
        if (fd < 0) die("%s: %s", path, strerror(errno));
        struct stat st;
        if (create && ftruncate(fd, len)) die("ftruncate: %s", strerror(errno));
        if (fstat(fd, &st) || (size_t)st.st_size != len) die("%s: does not match size and --bs", path);
        p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    } else p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) die("mmap: %s", strerror(errno));
    struct state_hdr *h = p;
    if (create) *h = (struct state_hdr){ MAGIC, g_blocks, o.bs, mix64(now_ns() ^ (uint64_t)getpid() << 40) };
    g_run = h->run;
    if (h->magic != MAGIC || h->blocks != g_blocks || h->bs != o.bs) die("%s: other geometry", path);
    g_issued = (uint32_t *)(h + 1);
    g_acked = g_issued + g_blocks;
    g_flushed = g_acked + g_blocks;
    g_busy = calloc(g_blocks, 1);
}

/* ---- load ---- */
struct req { struct blk_hdr *hdr; uint8_t *buf; uint8_t *status; struct blk_range *seg; struct desc *ind;
             uint64_t t0, block; uint32_t gen; uint8_t type; bool busy; };
struct ack { uint64_t block; uint32_t gen; };
struct queue { struct vq q; struct req *r; int *freelist; int nfree; uint64_t lo, hi, seq, rng; int rr;
               struct ack *log; size_t nlog, caplog, nflush; bool flushing; uint64_t due, measured; };
struct worker { pthread_t th; struct queue *qs; int nq; int vufd; struct hist h; int id;
                uint64_t ops, bytes, errors, mismatches, lost, flushes, measured; double self_cpu;
                bool gone; };
static volatile bool g_stop, g_measure;
static bool g_indirect;
static int g_phase;            /* 0 normal, 1 init (write all once), 2 verify all / check state (read all once) */
static bool g_range_check;     /* check-state: accept flushed..issued */
static atomic_ulong g_bad_reported;

static void report_bad(uint64_t sector, int64_t got, uint64_t want_lo, uint64_t want_hi)
{
    if (atomic_fetch_add(&g_bad_reported, 1) < 8)
        fprintf(stderr, "MISMATCH sector %" PRIu64 ": generation %" PRId64 ", expected %" PRIu64 "..%" PRIu64 "\n",
                sector, got, want_lo, want_hi);
}
static bool pick(struct queue *q, struct req *r)
{
    uint64_t n = q->hi - q->lo;
    bool seq = g_phase || !strcmp(o.rw, "read") || !strcmp(o.rw, "write");
    r->type = T_IN;
    if (g_phase) {
        if (q->seq >= n) return false;
        r->block = q->lo + q->seq++;
        r->type = g_phase == 1 ? T_OUT : T_IN;
        return true;
    }
    if (!strcmp(o.rw, "write") || !strcmp(o.rw, "randwrite")) r->type = T_OUT;
    else if (!strcmp(o.rw, "mixed")) r->type = rnd(&q->rng) % 100 < (unsigned)o.read_pct ? T_IN : T_OUT;
    else if (!strcmp(o.rw, "flush")) r->type = T_FLUSH;
    if (r->type == T_OUT) {
        unsigned d = rnd(&q->rng) % 100;
        if (d < (unsigned)o.flush_pct) r->type = T_FLUSH;
        else if (d < (unsigned)(o.flush_pct + o.discard_pct)) r->type = T_DISCARD;
        else if (d < (unsigned)(o.flush_pct + o.discard_pct + o.zero_pct)) r->type = T_WRITE_ZEROES;
    }
    if (r->type == T_FLUSH) {
        if (q->flushing) r->type = T_OUT; else return true;
    }
    r->block = q->lo + (seq ? q->seq++ % n : rnd(&q->rng) % n);
    if (o.verify || o.state) {
        for (uint64_t i = 0; i < n && g_busy[r->block]; i++) r->block = r->block + 1 < q->hi ? r->block + 1 : q->lo;
        if (g_busy[r->block]) return false;
    }
    return true;
}
static void submit(struct queue *q, int slot)
{
    struct req *r = &q->r[slot];
    struct gmem *m = q->q.m;
    bool track = o.verify || o.state || g_phase;
    *r->hdr = (struct blk_hdr){ r->type, 0, r->type == T_FLUSH ? 0 : r->block * (o.bs / 512) };
    *r->status = 0xff;
    if (track && r->type != T_FLUSH) { g_busy[r->block] = 1; r->busy = true; }
    if (r->type == T_OUT) {
        if (track) {
            uint32_t g = g_issued[r->block];
            r->gen = g >= GEN_ZERO ? 1 : g + 1;
            /* after a zeroing the count restarts above anything seen before */
            if (g >= GEN_ZERO) r->gen = (uint32_t)(++q->rr) + 0x40000000u;
            g_issued[r->block] = r->gen;
            fill(r->buf, r->hdr->sector, o.bs, r->gen);
        } else ((uint64_t *)r->buf)[0]++;
    } else if (r->type == T_DISCARD || r->type == T_WRITE_ZEROES) {
        *r->seg = (struct blk_range){ r->hdr->sector, o.bs / 512, r->type == T_WRITE_ZEROES ? (rnd(&q->rng) & 1) : 0 };
        r->hdr->sector = 0;
        if (track) g_issued[r->block] = r->gen = r->type == T_DISCARD ? GEN_ANY : GEN_ZERO;
    } else if (r->type == T_FLUSH) {
        q->flushing = true;
        q->nflush = q->nlog;
    }
    int per = 2 + o.segs, n = 0;
    struct desc *d = g_indirect ? r->ind : &q->q.desc[slot * per];
    int base = g_indirect ? 0 : slot * per;
    d[n] = (struct desc){ gpa(m, r->hdr), 16, D_NEXT, base + n + 1 }; n++;
    if (r->type == T_IN || r->type == T_OUT) {
        uint32_t part = o.bs / o.segs;
        for (int i = 0; i < o.segs; i++) {
            d[n] = (struct desc){ gpa(m, r->buf + i * part), i == o.segs - 1 ? o.bs - i * part : part,
                                  D_NEXT | (r->type == T_IN ? D_WRITE : 0), base + n + 1 };
            n++;
        }
    } else if (r->type != T_FLUSH) {
        d[n] = (struct desc){ gpa(m, r->seg), 16, D_NEXT, base + n + 1 }; n++;
    }
    d[n] = (struct desc){ gpa(m, r->status), 1, D_WRITE, 0 }; n++;
    if (g_indirect) q->q.desc[slot] = (struct desc){ gpa(m, r->ind), 16 * n, D_INDIRECT, 0 };
    r->t0 = now_ns();
    vq_push(&q->q, g_indirect ? slot : slot * per);
}
static void complete(struct worker *w, struct queue *q, int slot, uint64_t now)
{
    struct req *r = &q->r[slot];
    bool track = o.verify || o.state || g_phase;
    uint8_t st = *(volatile uint8_t *)r->status;
    w->ops++;
    if (g_measure) { hist_add(&w->h, now - r->t0); w->measured++; q->measured++; if (r->type != T_FLUSH) w->bytes += o.bs; }
    if (st) {
        if (w->errors++ < 4) fprintf(stderr, "request type %u block %" PRIu64 ": status %u\n", r->type, r->block, st);
    } else if (r->type == T_IN && track) {
        for (uint32_t s = 0; s < o.bs / 512; s++) {
            int64_t got = sector_gen(r->buf + s * 512, r->hdr->sector + s);
            uint32_t iss = g_issued[r->block], ack = g_acked[r->block], fl = g_flushed[r->block];
            bool ok;
            if (g_range_check) {
                /* a daemon that dies takes nothing with it: what was acknowledged is in the image, flushed or not */
                if (o.keep_acked) fl = ack;
                /* not written in this run, or zeroed or discarded on the way: nothing to hold it to */
                if (iss == 0 || iss >= 0x40000000u || ack >= 0x40000000u || fl >= 0x40000000u) ok = true;
                /* nothing flushed: what was there before is legal too */
                else ok = (got >= fl && got <= iss) || (fl == 0 && got <= 0);
            } else if (ack == GEN_ANY || iss == 0) ok = true;
            else if (ack == GEN_ZERO) ok = got == 0;
            else ok = got == ack;
            if (!ok) { w->mismatches++; report_bad(r->hdr->sector + s, got, g_range_check ? fl : ack, g_range_check ? iss : ack); }
        }
    } else if (r->type == T_FLUSH) {
        w->flushes++;
        for (size_t i = 0; i < q->nflush; i++) g_flushed[q->log[i].block] = q->log[i].gen;
        memmove(q->log, q->log + q->nflush, (q->nlog - q->nflush) * sizeof *q->log);
        q->nlog -= q->nflush;
        q->nflush = 0;
    } else if (r->type != T_IN && track) {
        g_acked[r->block] = r->gen;
        if (o.state) {
            if (q->nlog == q->caplog) q->log = realloc(q->log, (q->caplog = q->caplog * 2 + 1024) * sizeof *q->log);
            q->log[q->nlog++] = (struct ack){ r->block, r->gen };
        }
    }
    if (r->type == T_FLUSH) q->flushing = false;
    if (r->busy) { g_busy[r->block] = 0; r->busy = false; }
    q->freelist[q->nfree++] = slot;
}
static int reap(struct worker *w, struct queue *q)
{
    int n = 0;
    uint16_t idx = q->q.used->idx;
    if (idx == q->q.last_used) return 0;
    atomic_thread_fence(memory_order_acquire);
    uint64_t now = now_ns();
    while (q->q.last_used != idx) {
        uint32_t id = q->q.used->ring[q->q.last_used & (q->q.size - 1)].id;
        q->q.last_used++;
        int slot = g_indirect ? (int)id : (int)id / (2 + o.segs);
        if (slot >= o.depth) { w->errors++; continue; }
        complete(w, q, slot, now);
        n++;
    }
    return n;
}
/* With --rate: whether the next request may go. What is late is not made up for, so that no burst follows a stall. */
static bool is_due(struct queue *q)
{
    uint64_t now = now_ns(), interval = 1e9 * o.queues / o.rate;
    if (now < q->due) return false;
    q->due = q->due + interval > now ? q->due + interval : now;
    return true;
}
/* Waits a little for the next request of a paced queue: spins, as a sleep takes longer than a short interval. */
static void wait_until_due(struct worker *w)
{
    uint64_t now = now_ns(), due = UINT64_MAX;
    for (int i = 0; i < w->nq; i++) if (w->qs[i].due < due) due = w->qs[i].due;
    if (due > now + 2000000) usleep(1000);
}
static void top_up(struct queue *q)
{
    while (q->nfree && !g_stop) {
        if (o.rate > 0 && !g_phase && !is_due(q)) break;
        int slot = q->freelist[q->nfree - 1];
        if (!pick(q, &q->r[slot])) break;
        q->nfree--;
        submit(q, slot);
    }
    vq_publish(&q->q);
}
static bool peer_gone(int fd)
{
    struct pollfd p = { fd, POLLIN | POLLRDHUP, 0 };
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLRDHUP | POLLERR));
}
static void *work(void *arg)
{
    struct worker *w = arg;
    if (o.cpu >= 0) {
        cpu_set_t s;
        CPU_ZERO(&s);
        CPU_SET(o.cpu + w->id, &s);
        sched_setaffinity(0, sizeof s, &s);
    }
    struct pollfd *pf = calloc(w->nq + 1, sizeof *pf);
    for (int i = 0; i < w->nq; i++) {
        pf[i] = (struct pollfd){ w->qs[i].q.call, POLLIN, 0 };
        if (o.poll) vq_suppress_calls(&w->qs[i].q);
        top_up(&w->qs[i]);
    }
    pf[w->nq] = (struct pollfd){ w->vufd, POLLRDHUP, 0 };
    uint64_t idle_since = now_ns(), last_check = idle_since;
    unsigned spins = 0;
    for (;;) {
        int got = 0, inflight = 0, free = 0;
        for (int i = 0; i < w->nq; i++) {
            struct queue *q = &w->qs[i];
            int n = reap(w, q);
            if (n && o.poll) vq_suppress_calls(&q->q);
            top_up(q);
            inflight += o.depth - q->nfree;
            free += q->nfree;
            got += n;
        }
        if (got) idle_since = 0;
        bool paced = o.rate > 0 && !g_phase && !g_stop;
        if (!inflight && !paced) break;
        if (got && !o.poll) continue;
        if (paced && free) { wait_until_due(w); continue; }
        if (o.poll) {
            if ((++spins & 255) == 0) {
                uint64_t t = now_ns();
                if (!idle_since) idle_since = t;
                if (t - last_check > 10000000) { last_check = t; if (peer_gone(w->vufd)) { w->gone = true; break; } }
                if (t - idle_since > 10000000000ull) { w->lost = inflight; break; }
            }
            continue;
        }
        bool ready = false;
        for (int i = 0; i < w->nq; i++) ready |= vq_arm_calls(&w->qs[i].q);
        if (ready) continue;
        int r = poll(pf, w->nq + 1, 10000);
        if (r == 0) { w->lost = inflight; break; }
        if (pf[w->nq].revents) { w->gone = true; break; }
        for (int i = 0; i < w->nq; i++)
            if (pf[i].revents) {
                uint64_t v;
                if (read(pf[i].fd, &v, 8) == 8) w->qs[i].q.calls++;
            }
    }
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    w->self_cpu = t.tv_sec + t.tv_nsec / 1e9;
    free(pf);
    return NULL;
}


static void usage(void)
{
    puts("vublk-bench --socket PATH [options]\n"
         " load:   --rw randread|randwrite|read|write|mixed|flush  --read-pct N (mixed)  --bs N  --depth N (per queue)\n"
         "         --queues N  --threads N (generator threads)  --seconds S  --ramp S  --ops N (stop after N)  --range BYTES\n"
         "         --rate N (requests per second of all queues; default: as many as the depth allows)\n"
         "         --flush-pct N --discard-pct N --zero-pct N (share of the writes)  --segs N (data segments per request)\n"
         "         --poll (busy-poll the used ring; default: wait on the call eventfd)  --cpu N (pin)  --qsize N  --regions N\n"
         "         --no-indirect --no-event-idx  --seed N\n"
         " check:  --verify  --init (write every block first)  --verify-all (read every block last)\n"
         "         --state FILE (record issued/acked/flushed generations)  --check-state FILE (after a crash)\n"
         "         --keep-acked (with --check-state: hold to what was acknowledged, not only to what was flushed)\n"
         "         --watch-config S (wait S seconds for a config change, print capacity)\n"
         " report: --pid N (daemon, for CPU time)  --label TEXT  --tsv  --tsv-header  --info\n"
         "exit: 0 good, 1 errors or mismatches, 2 usage or connection, 3 daemon went away");
    exit(2);
}
static uint64_t num(const char *s)
{
    char *e;
    uint64_t v = strtoull(s, &e, 0);
    switch (*e | 32) { case 'k': v <<= 10; break; case 'm': v <<= 20; break; case 'g': v <<= 30; break; }
    return v;
}
int main(int argc, char **argv)
{
    enum { SOCKET = 1, RW, READPCT, BS, DEPTH, QUEUES, THREADS, SECONDS, RAMP, OPS, RANGE, FLUSHPCT, DISCARDPCT,
           ZEROPCT, SEGS, POLL, CPU, QSIZE, REGIONS, NOIND, NOEV, SEED, VERIFY, INIT, VERIFYALL, STATE, CHECK,
           WATCH, PID, LABEL, TSV, TSVH, INFO, HELP, KEEP, RATE };
    static const struct option lo[] = {
        {"socket", 1, 0, SOCKET}, {"rw", 1, 0, RW}, {"read-pct", 1, 0, READPCT}, {"bs", 1, 0, BS},
        {"depth", 1, 0, DEPTH}, {"queues", 1, 0, QUEUES}, {"threads", 1, 0, THREADS}, {"seconds", 1, 0, SECONDS},
        {"ramp", 1, 0, RAMP}, {"ops", 1, 0, OPS}, {"range", 1, 0, RANGE}, {"flush-pct", 1, 0, FLUSHPCT},
        {"discard-pct", 1, 0, DISCARDPCT}, {"zero-pct", 1, 0, ZEROPCT}, {"segs", 1, 0, SEGS}, {"poll", 0, 0, POLL},
        {"cpu", 1, 0, CPU}, {"qsize", 1, 0, QSIZE}, {"regions", 1, 0, REGIONS}, {"no-indirect", 0, 0, NOIND},
        {"no-event-idx", 0, 0, NOEV}, {"seed", 1, 0, SEED}, {"verify", 0, 0, VERIFY}, {"init", 0, 0, INIT},
        {"verify-all", 0, 0, VERIFYALL}, {"state", 1, 0, STATE}, {"check-state", 1, 0, CHECK},
        {"watch-config", 1, 0, WATCH}, {"pid", 1, 0, PID}, {"label", 1, 0, LABEL}, {"tsv", 0, 0, TSV},
        {"tsv-header", 0, 0, TSVH}, {"info", 0, 0, INFO}, {"help", 0, 0, HELP},
        {"keep-acked", 0, 0, KEEP}, {"rate", 1, 0, RATE}, {0} };
    double watch_s = 0;
    int c;
    while ((c = getopt_long(argc, argv, "h", lo, NULL)) != -1) switch (c) {
        case SOCKET: o.socket = optarg; break;
        case RW: snprintf(o.rw, sizeof o.rw, "%s", optarg); break;
        case READPCT: o.read_pct = atoi(optarg); break;
        case BS: o.bs = num(optarg); break;
        case DEPTH: o.depth = atoi(optarg); break;
        case QUEUES: o.queues = atoi(optarg); break;
        case THREADS: o.threads = atoi(optarg); break;
        case SECONDS: o.seconds_ms = (int)(atof(optarg) * 1000); break;
        case RAMP: o.ramp_ms = (int)(atof(optarg) * 1000); break;
        case OPS: o.ops = num(optarg); break;
        case RANGE: o.range = num(optarg); break;
        case FLUSHPCT: o.flush_pct = atoi(optarg); break;
        case DISCARDPCT: o.discard_pct = atoi(optarg); break;
        case ZEROPCT: o.zero_pct = atoi(optarg); break;
        case SEGS: o.segs = atoi(optarg); break;
        case POLL: o.poll = true; break;
        case CPU: o.cpu = atoi(optarg); break;
        case QSIZE: o.qsize = atoi(optarg); break;
        case REGIONS: o.regions = atoi(optarg); break;
        case NOIND: o.no_indirect = true; break;
        case NOEV: o.no_event_idx = true; break;
        case SEED: o.seed = num(optarg); break;
        case VERIFY: o.verify = true; break;
        case INIT: o.init = true; break;
        case VERIFYALL: o.verify_all = true; break;
        case STATE: o.state = optarg; break;
        case CHECK: o.check_state = optarg; break;
        case WATCH: o.watch_config = true; watch_s = atof(optarg); break;
        case PID: o.pid = atoi(optarg); break;
        case LABEL: o.label = optarg; break;
        case TSV: o.tsv = true; break;
        case TSVH: o.tsv_header = true; break;
        case INFO: o.info = true; break;
        case KEEP: o.keep_acked = true; break;
        case RATE: o.rate = atof(optarg); break;
        default: usage();
    }
    static const char *cols = "label\trw\tbs\tdepth\tqueues\twait\tseconds\tops\tiops\tMBps\tp50_us\tp99_us\tp999_us\tmax_us\t"
                              "errors\tmismatches\tlost\tflushes\tcpu_s\tcpu_us_per_op\tself_cpu_s\tkicks\tcalls\tloadavg\tslowest_queue\tfastest_queue";
    if (o.tsv_header) { puts(cols); if (!o.socket) return 0; }
    signal(SIGPIPE, SIG_IGN);
    want_features = BIT(F_VERSION_1) | BIT(F_PROTOCOL) | BIT(F_FLUSH) | BIT(F_BLK_SIZE) | BIT(F_MQ) | BIT(F_DISCARD) |
                    BIT(F_WRITE_ZEROES) | BIT(F_RO) | BIT(2) | BIT(1) | BIT(10) | BIT(11) |
                    (o.no_indirect ? 0 : BIT(F_INDIRECT)) | (o.no_event_idx ? 0 : BIT(F_EVENT_IDX));
    if (!o.socket) usage();
    if (o.bs < 512 || o.bs % 512 || o.depth < 1 || o.queues < 1 || o.segs < 1 || o.regions < 1 || o.regions > 8) usage();

    struct vu v = { .timeout_ms = 5000 };
    v.fd = vu_connect(o.socket, 5000);
    if (v.fd < 0) die("cannot connect to %s", o.socket);
    int r = vu_negotiate(&v);
    if (r) die("negotiation failed (%d)", r);
    if (o.info) {
        uint32_t seg, blk, maxd, maxds, maxz, maxzs; uint16_t nq;
        memcpy(&seg, v.config + 12, 4); memcpy(&blk, v.config + 20, 4); memcpy(&nq, v.config + 34, 2);
        memcpy(&maxd, v.config + 36, 4); memcpy(&maxds, v.config + 40, 4);
        memcpy(&maxz, v.config + 48, 4); memcpy(&maxzs, v.config + 52, 4);
        printf("features=0x%" PRIx64 " protocol=0x%" PRIx64 " queues=%" PRIu64 " capacity=%" PRIu64 " sectors seg_max=%u "
               "blk_size=%u num_queues=%u writeback=%u max_discard=%u/%u max_write_zeroes=%u/%u\n",
               v.feat_off, v.pf_off, v.nqueues, v.capacity, seg, blk, nq, v.config[32], maxd, maxds, maxz, maxzs);
        return 0;
    }
    if (o.watch_config) {
        int sp[2];
        if (!(v.pf & BIT(PF_BACKEND_REQ))) die("back end does not offer BACKEND_REQ");
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, sp)) die("socketpair");
        vu_set(&v, R_SET_BACKEND_REQ_FD, NULL, 0, &sp[1], 1);
        printf("capacity %" PRIu64 "\n", v.capacity);
        fflush(stdout);
        struct pollfd p = { sp[0], POLLIN, 0 };
        if (poll(&p, 1, (int)(watch_s * 1000)) <= 0) { puts("no message"); return 1; }
        struct msg_hdr h;
        if (read_full(sp[0], &h, sizeof h, 1000, NULL)) return 1;
        if (h.flags & FL_NEED_REPLY) {
            struct { struct msg_hdr h; uint64_t u; } __attribute__((packed)) rep = { { h.request, FL_VERSION | FL_REPLY, 8 }, 0 };
            send_raw(sp[0], &rep, 20, NULL, 0);
        }
        vu_get_config(&v, 0, 60, v.config);
        memcpy(&v.capacity, v.config, 8);
        printf("message %u flags %u, capacity %" PRIu64 "\n", h.request, h.flags, v.capacity);
        return h.request == 2 ? 0 : 1;
    }
    if ((uint64_t)o.queues > v.nqueues) die("back end has %" PRIu64 " queues", v.nqueues);
    uint64_t bytes = v.capacity * 512;
    if (o.range && o.range < bytes) bytes = o.range;
    g_blocks = bytes / o.bs;
    if (!g_blocks) die("disk smaller than a block");
    g_indirect = v.feat & BIT(F_INDIRECT);
    if (o.check_state) { o.verify_all = true; g_range_check = true; }
    if (o.verify || o.init || o.verify_all || o.state)
        state_open(o.check_state ? o.check_state : o.state, !o.check_state);
    if (o.threads > o.queues) o.threads = o.queues;
    if ((uint64_t)o.depth * o.queues > g_blocks && (o.verify || o.state)) die("range too small for verify");

    int need = g_indirect ? o.depth : o.depth * (2 + o.segs), qsz = o.qsize ? o.qsize : 128;
    while (qsz < need) qsz *= 2;
    struct gmem mem;
    size_t per = o.bs + 8192 + 16 * (o.segs + 2);
    gmem_init(&mem, (size_t)o.queues * (o.depth * per + qsz * 32 + 65536) * 5 / 4 + (8u << 20) * o.regions, o.regions);
    if ((r = vu_set_mem(&v, &mem))) die("SET_MEM_TABLE failed (%d)", r);

    struct queue *qs = calloc(o.queues, sizeof *qs);
    for (int i = 0; i < o.queues; i++) {
        struct queue *q = &qs[i];
        vq_alloc(&q->q, &mem, i, qsz, v.feat & BIT(F_EVENT_IDX));
        q->r = calloc(o.depth, sizeof *q->r);
        q->freelist = calloc(o.depth, sizeof(int));
        bool split = o.verify || o.state || o.init || o.verify_all;
        q->lo = split ? g_blocks * i / o.queues : 0;
        q->hi = split ? g_blocks * (i + 1) / o.queues : g_blocks;
        q->rng = mix64(o.seed * 977 + i);
        for (int s = 0; s < o.depth; s++) {
            struct req *rq = &q->r[s];
            rq->hdr = galloc(&mem, 16, 16);
            rq->status = galloc(&mem, 1, 16);
            rq->seg = galloc(&mem, 16, 16);
            rq->ind = galloc(&mem, 16 * (2 + o.segs), 16);
            rq->buf = galloc(&mem, o.bs, 4096);
            q->freelist[q->nfree++] = s;
        }
        if ((r = vq_start(&v, &q->q))) die("starting queue %d failed (%d)", i, r);
    }
    struct worker *ws = calloc(o.threads, sizeof *ws);
    uint64_t init_ops = 0;
    int rc = 0;
    double cpu0 = 0, cpu1 = 0, self = 0;
    uint64_t t0 = 0, t1 = 0;
    /* phases: optional init, the load (skipped with --check-state), optional read of everything */
    struct hist *h = calloc(1, sizeof *h);
    uint64_t ops = 0, measured = 0, mb = 0, errors = 0, mism = 0, lost = 0, flushes = 0, checked = 0;
    bool gone = false;
    for (int ph = 0; ph < 3 && !gone && !lost; ph++) {
        if ((ph == 0 && !o.init) || (ph == 1 && o.check_state) || (ph == 2 && !o.verify_all)) continue;
        g_phase = ph == 0 ? 1 : ph == 2 ? 2 : 0;
        g_stop = g_measure = false;
        for (int i = 0; i < o.queues; i++) qs[i].seq = 0;
        for (int t = 0; t < o.threads; t++) {
            int a = o.queues * t / o.threads, b = o.queues * (t + 1) / o.threads;
            memset(&ws[t], 0, sizeof ws[t]);
            ws[t].qs = qs + a; ws[t].nq = b - a; ws[t].vufd = v.fd; ws[t].id = t;
            pthread_create(&ws[t].th, NULL, work, &ws[t]);
        }
        if (ph == 1) {
            usleep(o.ramp_ms * 1000);
            cpu0 = proc_cpu(o.pid); t0 = now_ns();
            g_measure = true;
            uint64_t end = t0 + o.seconds_ms * 1000000ull;
            while (now_ns() < end) {
                usleep(o.ops ? 500 : 20000);
                uint64_t n = 0; bool g = false;
                for (int t = 0; t < o.threads; t++) { n += ws[t].ops; g |= ws[t].gone || ws[t].lost; }
                if (g || (o.ops && n >= o.ops)) break;
            }
            g_measure = false;
            t1 = now_ns(); cpu1 = proc_cpu(o.pid);
            g_stop = true;
        }
        for (int t = 0; t < o.threads; t++) {
            pthread_join(ws[t].th, NULL);
            struct worker *w = &ws[t];
            errors += w->errors; mism += w->mismatches; lost += w->lost; gone |= w->gone; flushes += w->flushes;
            if (ph == 0) init_ops += w->ops;
            if (ph == 2) checked += w->ops;
            if (ph == 1) {
                ops += w->ops; measured += w->measured; mb += w->bytes; self += w->self_cpu;
                for (int i = 0; i < 64 * HB; i++) h->n[i] += w->h.n[i];
                h->count += w->h.count;
                if (w->h.max > h->max) h->max = w->h.max;
            }
        }
    }
    double sec = t1 > t0 ? (t1 - t0) / 1e9 : 1e-9, cpu = cpu0 >= 0 && cpu1 >= 0 && o.pid ? cpu1 - cpu0 : -1;
    uint64_t kicks = 0, calls = 0;
    uint64_t slowest = UINT64_MAX, fastest = 0;
    for (int i = 0; i < o.queues; i++) {
        kicks += qs[i].q.kicks; calls += qs[i].q.calls;
        if (qs[i].measured < slowest) slowest = qs[i].measured;
        if (qs[i].measured > fastest) fastest = qs[i].measured;
    }
    char load[32] = "?";
    FILE *lf = fopen("/proc/loadavg", "r");
    if (lf) { if (fscanf(lf, "%31s", load) != 1) strcpy(load, "?"); fclose(lf); }
    const char *wait = o.poll ? "poll" : "call";
    if (o.check_state)
        printf("check-state blocks=%" PRIu64 " errors=%" PRIu64 " mismatches=%" PRIu64 "\n", checked, errors, mism);
    else if (o.tsv)
        printf("%s\t%s\t%u\t%d\t%d\t%s\t%.2f\t%" PRIu64 "\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
               "\t%" PRIu64 "\t%.3f\t%.3f\t%.3f\t%" PRIu64 "\t%" PRIu64 "\t%s\t%" PRIu64 "\t%" PRIu64 "\n",
               o.label ? o.label : "-", o.rw, o.bs, o.depth, o.queues, wait, sec, measured, measured / sec, mb / sec / 1e6,
               hist_pct(h, .5), hist_pct(h, .99), hist_pct(h, .999), h->max / 1e3, errors, mism, lost, flushes, cpu,
               cpu >= 0 && measured ? cpu * 1e6 / measured : -1, self, kicks, calls, load, slowest, fastest);
    else
        printf("%s%srw=%s bs=%u depth=%d queues=%d wait=%s iops=%.0f MB/s=%.1f p50=%.1fus p99=%.1fus p99.9=%.1fus max=%.1fus "
               "ops=%" PRIu64 " errors=%" PRIu64 " mismatches=%" PRIu64 " lost=%" PRIu64 " flushes=%" PRIu64 " checked=%" PRIu64
               " cpu=%.3fs (%.2f us/op) self=%.3fs kicks=%" PRIu64 " calls=%" PRIu64 " load=%s%s\n",
               o.label ? o.label : "", o.label ? " " : "", o.rw, o.bs, o.depth, o.queues, wait, measured / sec, mb / sec / 1e6,
               hist_pct(h, .5), hist_pct(h, .99), hist_pct(h, .999), h->max / 1e3, measured, errors, mism, lost, flushes,
               checked, cpu, cpu >= 0 && measured ? cpu * 1e6 / measured : -1, self, kicks, calls, load, gone ? " DAEMON-GONE" : "");
    if (gone) return 3;
    /* a clean end: stop the rings as a guest reset would */
    for (int i = 0; i < o.queues; i++) {
        struct vring_state s = { i, 0 };
        uint8_t b[8];
        if (vu_send(&v, R_GET_VRING_BASE, 0, &s, 8, NULL, 0) || vu_recv(&v, R_GET_VRING_BASE, b, 8, NULL) != 8) rc = 1;
        else {
            memcpy(&s, b, 8);
            if (!lost && s.num != qs[i].q.avail_idx) { fprintf(stderr, "queue %d: vring base %u, expected %u\n", i, s.num, qs[i].q.avail_idx); rc = 1; }
        }
    }
    if (v.ack_errors) { fprintf(stderr, "%d requests were acknowledged with an error\n", v.ack_errors); rc = 1; }
    close(v.fd);
    return rc || errors || mism || lost;
}

/*
 * bare-blk: the least that a vhost-user-blk device has to do, one request at a time. It checks nothing, so it is of no
 * use but this: what it takes is the price of the kernel and of the machine. A daemon may do a little better, by fewer
 * system calls.
 *
 *     bare-blk SOCKET IMAGE sleep|spin        IMAGE "-": requests are done without being looked at
 *
 * sleep: waits for the driver in read(2). spin: looks at the queue all the time. Both read and write the image by
 * pread(2) and pwrite(2) right in the loop, which a daemon with more than one disk cannot afford.
 *
 * It is written from the vhost-user and virtio 1.2 specifications.
 * Build: gcc -O2 -Wall -pthread -o bare-blk bare-blk.c
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { GET_FEATURES = 1, SET_MEM_TABLE = 5, SET_VRING_NUM = 8, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE,
       SET_VRING_KICK, SET_VRING_CALL, GET_PROTOCOL_FEATURES = 15, GET_QUEUE_NUM = 17, GET_CONFIG = 24 };
enum { DESC_NEXT = 1, DESC_INDIRECT = 4, MAX_REGIONS = 8, SECTOR = 512 };
static const uint64_t FEATURES = 1ull << 28 | 1ull << 29 | 1ull << 30 | 1ull << 32; /* indirect, event index, protocol, 1.0 */
static const uint64_t PROTOCOL_FEATURES = 1ull << 9;                                 /* configuration space */

struct desc { uint64_t addr; uint32_t len; uint16_t flags, next; };
struct avail { uint16_t flags; _Atomic uint16_t idx; uint16_t ring[]; };
struct used_elem { uint32_t id, len; };
struct used { uint16_t flags; _Atomic uint16_t idx; struct used_elem ring[]; };
struct region { uint64_t guest, size, user, offset; char *host; };
struct header { uint32_t type, reserved; uint64_t sector; };
struct message {
    uint32_t request, flags, size;
    union {
        uint64_t u64;
        struct { uint32_t index, num; } state;
        struct { uint32_t index, flags; uint64_t desc, used, avail, log; } addr;
        struct { uint32_t count, padding; struct { uint64_t guest, size, user, offset; } region[MAX_REGIONS]; } memory;
        struct { uint32_t offset, size, flags; uint8_t data[256]; } config;
    };
} __attribute__((packed));

static int image = -1, kick = -1, call = -1;
static bool spins;
static uint64_t capacity;
static struct region regions[MAX_REGIONS];
static unsigned region_count;
static uint16_t size, base;
static struct desc *table;
static struct avail *avail;
static struct used *used;
static atomic_bool stop;

static void *of_guest(uint64_t address)
{
    for (unsigned i = 0; i < region_count; i++)
        if (address - regions[i].guest < regions[i].size) return regions[i].host + (address - regions[i].guest);
    errx(1, "an address outside the memory of the guest");
}

static void *of_user(uint64_t address)
{
    for (unsigned i = 0; i < region_count; i++)
        if (address - regions[i].user < regions[i].size) return regions[i].host + (address - regions[i].user);
    errx(1, "a ring outside the memory of the guest");
}

/* Header, data, status: as the load generator makes them. */
static void serve(uint16_t head)
{
    struct desc *d = &table[head], *chain = table;
    if (d->flags & DESC_INDIRECT) d = chain = of_guest(d->addr);
    struct header *h = of_guest(d->addr);
    d = &chain[d->next];
    uint32_t done = 1;
    if (d->flags & DESC_NEXT) {
        void *data = of_guest(d->addr);
        off_t offset = h->sector * SECTOR;
        if (h->type == 0) done += d->len;
        if (image >= 0 && (h->type ? pwrite(image, data, d->len, offset) : pread(image, data, d->len, offset)) != d->len)
            err(1, "the image");
        d = &chain[d->next];
    }
    *(uint8_t *)of_guest(d->addr) = 0;
    uint16_t next = atomic_load_explicit(&used->idx, memory_order_relaxed);
    used->ring[next % size] = (struct used_elem){ head, done };
    atomic_store(&used->idx, next + 1);
}

static inline void breathe(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static void *run(void *unused)
{
    _Atomic uint16_t *kick_at = (_Atomic uint16_t *)&used->ring[size];
    uint64_t value = 1;
    while (!stop) {
        if (!spins) atomic_store(kick_at, base);
        if (atomic_load(&avail->idx) == base) {
            if (spins) breathe();
            else if (read(kick, &value, sizeof value) < 0) err(1, "kick");
            continue;
        }
        serve(avail->ring[base++ % size]);
        value = 1;
        if (write(call, &value, sizeof value) < 0) err(1, "call");
    }
    return unused;
}

static ssize_t receive(int connection, struct message *m, int *fds, int max)
{
    char control[CMSG_SPACE(sizeof(int) * MAX_REGIONS)];
    struct iovec iov = { m, 12 };
    struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
    if (recvmsg(connection, &h, MSG_CMSG_CLOEXEC | MSG_WAITALL) != 12 || m->size > sizeof *m - 12) return -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
        int count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), sizeof(int) * (count < max ? count : max));
    }
    return m->size == 0 ? 0 : recv(connection, &m->u64, m->size, MSG_WAITALL) == m->size ? 0 : -1;
}

static void reply(int connection, struct message *m, uint32_t bytes)
{
    m->flags = 1 | 4;
    m->size = bytes;
    if (write(connection, m, 12 + bytes) != 12 + bytes) err(1, "reply");
}

static void stop_queue(pthread_t *thread)
{
    if (!*thread) return;
    uint64_t one = 1;
    stop = true;
    if (write(kick, &one, sizeof one) < 0) err(1, "kick");
    pthread_join(*thread, NULL);
    *thread = 0;
    stop = false;
}

static void take_memory(const struct message *m, const int *fds)
{
    region_count = m->memory.count;
    if (region_count > MAX_REGIONS) errx(1, "too many regions");
    for (unsigned i = 0; i < region_count; i++) {
        struct region *r = &regions[i];
        *r = (struct region){ m->memory.region[i].guest, m->memory.region[i].size, m->memory.region[i].user,
                              m->memory.region[i].offset, NULL };
        char *map = mmap(NULL, r->offset + r->size, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
        if (map == MAP_FAILED) err(1, "memory of the guest");
        r->host = map + r->offset;
        close(fds[i]);
    }
}

static void converse(int connection)
{
    pthread_t thread = 0;
    struct message m;
    int fds[MAX_REGIONS];
    while (receive(connection, &m, fds, MAX_REGIONS) == 0) {
        switch (m.request) {
        case GET_FEATURES: m.u64 = FEATURES; reply(connection, &m, 8); break;
        case GET_PROTOCOL_FEATURES: m.u64 = PROTOCOL_FEATURES; reply(connection, &m, 8); break;
        case GET_QUEUE_NUM: m.u64 = 1; reply(connection, &m, 8); break;
        case GET_CONFIG: {
            uint8_t config[256] = { 0 };
            memcpy(config, &capacity, sizeof capacity);
            config[12] = 126; /* segments of a request */
            config[20 + 1] = SECTOR >> 8;
            config[34] = 1; /* queue */
            if (m.config.offset > sizeof config || m.config.size > sizeof config - m.config.offset) errx(1, "configuration");
            memcpy(m.config.data, config + m.config.offset, m.config.size);
            reply(connection, &m, 12 + m.config.size);
            break;
        }
        case SET_MEM_TABLE: take_memory(&m, fds); break;
        case SET_VRING_NUM: size = m.state.num; break;
        case SET_VRING_BASE: base = m.state.num; break;
        case SET_VRING_ADDR:
            table = of_user(m.addr.desc);
            avail = of_user(m.addr.avail);
            used = of_user(m.addr.used);
            break;
        case SET_VRING_CALL: call = fds[0]; break;
        case SET_VRING_KICK:
            kick = fds[0];
            fcntl(kick, F_SETFL, 0); /* read(2) is to wait */
            if (pthread_create(&thread, NULL, run, NULL)) errx(1, "thread");
            break;
        case GET_VRING_BASE: stop_queue(&thread); m.state.num = base; reply(connection, &m, 8); break;
        }
    }
    stop_queue(&thread);
    for (unsigned i = 0; i < region_count; i++) munmap(regions[i].host - regions[i].offset, regions[i].offset + regions[i].size);
    region_count = 0;
    close(kick);
    close(call);
    close(connection);
}

int main(int argc, char **argv)
{
    if (argc != 4 || (strcmp(argv[3], "sleep") && strcmp(argv[3], "spin"))) errx(2, "bare-blk SOCKET IMAGE sleep|spin");
    spins = !strcmp(argv[3], "spin");
    capacity = 268435456 / SECTOR;
    if (strcmp(argv[2], "-")) {
        struct stat s;
        image = open(argv[2], O_RDWR);
        if (image < 0 || fstat(image, &s)) err(1, "%s", argv[2]);
        capacity = s.st_size / SECTOR;
    }
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1)) err(1, "%s", argv[1]);
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0) err(1, "accept");
        converse(connection);
    }
}

/* tests/unit/storage/test_cache_rule.c - the slot rule of the graph cache against every interleaving.
 *
 * Three parties share one index: a committer (two commits), a filler (two fills), an evictor (one pass). Each party is
 * a sequence of steps that are atomic in the real code; all orders of the steps are played over a real KtSlots.
 * After each step a reader at every published number must get the value that was true at that number. The same
 * is played with simpler wordings of the rule, each of which must be seen to read wrong. */
#include "storage/cache/slots.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

typedef enum Wording {
    RULE,
    NO_CHECK_OF_P,
    READ_NEWEST,
    RAISE_AFTER_PUBLISH,
    EVICT_TO_ZERO,
    RAISE_ONLY_CACHED,
    WORDINGS
} Wording;

typedef struct Block {
    KtSlotBlock head;
    int value;
} Block;

enum {
    FIRST = 10,
    COMMITS = 2,
    COMMIT_STEPS = 3,
    FILLS = 2,
    FILL_STEPS = 4,
    EVICTS = 1,
    PARTIES = 3
};

/* The slot as the rule's simpler wordings need to write it: the same words as slots.c, in plain form. */
typedef struct Model {
    enum { UNKNOWN, EMPTY, BLOCK } kind;
    KtCommit c;
    int value;
    unsigned stamp; /* changes at each write, as an address would */
} Model;

typedef struct World {
    Model slot;
    KtCommit written, published; /* the store holds commits up to `written` */
    /* filler */
    Model loaded;
    KtCommit p;
    int read;
    bool gave_up;
    int at[PARTIES];
} World;

/* The value at commit n is n itself, so every commit changes it. */
static void fill_step(World *w, Wording wording)
{
    int step = w->at[1] % FILL_STEPS;
    if (step == 0) {
        w->loaded = w->slot;
        w->gave_up = w->slot.kind != UNKNOWN;
    } else if (step == 1) {
        w->p = w->published;
    } else if (step == 2) {
        if (wording != NO_CHECK_OF_P && w->p < w->loaded.c)
            w->gave_up = true;
        w->read = (int)(wording == READ_NEWEST ? w->written
                                               : w->p); /* the newest may not be published yet */
    } else if (!w->gave_up && w->slot.stamp == w->loaded.stamp) {
        w->slot = (Model){BLOCK, w->loaded.c, w->read, w->slot.stamp + 1};
    }
}

static void commit_step(World *w, Wording wording)
{
    KtCommit c = FIRST + 1 + (KtCommit)(w->at[0] / COMMIT_STEPS);
    int step = w->at[0] % COMMIT_STEPS;
    bool late = wording == RAISE_AFTER_PUBLISH;
    if (step == 0)
        w->written = c;
    else if (step == (late ? 2 : 1)) {
        if (wording != RAISE_ONLY_CACHED || w->slot.kind != UNKNOWN)
            w->slot = (Model){UNKNOWN, c, 0, w->slot.stamp + 1};
    } else
        w->published = c;
}

static void evict_step(World *w, Wording wording)
{
    if (w->slot.kind == BLOCK)
        w->slot = (Model){UNKNOWN, wording == EVICT_TO_ZERO ? 0 : w->slot.c, 0, w->slot.stamp + 1};
}

static bool reads_right(const World *w)
{
    for (KtCommit s = FIRST; s <= w->published; s++) {
        if (w->slot.kind == BLOCK && w->slot.c <= s && w->slot.value != (int)s)
            return false; /* else it reads the store at s, which is right */
    }
    return true;
}

static long play(World w, Wording wording, long *orders)
{
    static const int last[PARTIES] = {COMMITS * COMMIT_STEPS, FILLS * FILL_STEPS, EVICTS};
    if (!reads_right(&w)) {
        (*orders)++;
        return 1;
    }
    bool moved = false;
    long wrong = 0;
    for (int party = 0; party < PARTIES; party++) {
        if (w.at[party] == last[party])
            continue;
        World next = w;
        if (party == 0)
            commit_step(&next, wording);
        else if (party == 1)
            fill_step(&next, wording);
        else
            evict_step(&next, wording);
        next.at[party]++;
        wrong += play(next, wording, orders);
        moved = true;
    }
    if (!moved)
        (*orders)++;
    return wrong;
}

static long wrong_reads(Wording wording, long *orders)
{
    World w = {.slot = {UNKNOWN, FIRST, 0, 0}, .written = FIRST, .published = FIRST};
    *orders = 0;
    return play(w, wording, orders);
}

Test(storage_cache_rule, no_interleaving_reads_wrong)
{
    long orders;
    cr_assert_eq(wrong_reads(RULE, &orders), 0);
    cr_assert_gt(orders, 10000);
}

Test(storage_cache_rule, each_simpler_wording_reads_wrong)
{
    for (Wording wording = NO_CHECK_OF_P; wording < WORDINGS; wording++) {
        long orders;
        cr_assert_gt(wrong_reads(wording, &orders), 0, "wording %d is as good as the rule",
                     (int)wording);
    }
}

static Block *block(int value)
{
    Block *b = calloc(1, sizeof *b);
    b->head.bytes = sizeof *b;
    b->value = value;
    return b;
}

/* slots.c keeps to the model, word for word. */
Test(storage_cache_rule, slots_follow_the_rule)
{
    KtEpochs *epochs;
    KtSlots *slots;
    KtCacheBytes bytes = {.limit = 1 << 20};
    KtSlotBlock *found;
    KtSlotWord word, later;
    cr_assert_eq(kt_epochs_open(&epochs), KT_OK);
    cr_assert_eq(kt_slots_open(epochs, &bytes, FIRST, &slots), KT_OK);
    cr_assert_eq(kt_slots_read(slots, 7, FIRST, &found), KT_SLOT_UNKNOWN);
    cr_assert(kt_slots_load(slots, 7, &word));
    cr_assert_eq(word.c, FIRST);

    kt_slots_raise(slots, 7, FIRST + 1); /* a commit came between: the fill must not land */
    Block *late = block(1);
    cr_assert_not(kt_slots_fill(slots, 7, word, FIRST, &late->head));
    cr_assert(kt_slots_load(slots, 7, &later));
    cr_assert_not(kt_slots_fill(slots, 7, later, FIRST, &late->head), "P below the word's c");
    cr_assert(kt_slots_fill(slots, 7, later, FIRST + 1, &late->head));
    cr_assert_eq(kt_slots_read(slots, 7, FIRST, &found), KT_SLOT_UNKNOWN,
                 "too new for this reader");
    cr_assert_eq(kt_slots_read(slots, 7, FIRST + 1, &found), KT_SLOT_BLOCK);
    cr_assert_eq(((Block *)found)->value, 1);

    cr_assert_eq(kt_slots_evict(slots, 1), sizeof(Block));
    cr_assert(kt_slots_load(slots, 7, &later));
    cr_assert_eq(later.c, FIRST + 1, "eviction keeps the commit");
    cr_assert(kt_slots_fill(slots, 7, later, FIRST + 1, NULL));
    cr_assert_eq(kt_slots_read(slots, 7, FIRST, &found), KT_SLOT_UNKNOWN);
    cr_assert_eq(kt_slots_read(slots, 7, FIRST + 5, &found), KT_SLOT_EMPTY);
    kt_slots_close(slots);
    kt_epochs_close(epochs);
}

Test(storage_cache_rule, memory_waits_for_readers_inside)
{
    KtEpochs *epochs;
    KtEpochReader *a, *b;
    cr_assert_eq(kt_epochs_open(&epochs), KT_OK);
    cr_assert_eq(kt_epoch_register(epochs, &a), KT_OK);
    cr_assert_eq(kt_epoch_register(epochs, &b), KT_OK);
    kt_epoch_enter(epochs, a);
    kt_epoch_retire(epochs, malloc(8), 8);
    kt_epoch_enter(epochs, b);
    cr_assert_eq(kt_epochs_collect(epochs), 1);
    cr_assert_eq(kt_epochs_waiting(epochs), 8);
    kt_epoch_leave(a);
    cr_assert_eq(kt_epochs_collect(epochs), 0, "b came later and cannot see it");
    kt_epoch_unregister(epochs, a);
    kt_epoch_unregister(epochs, b);
    kt_epochs_close(epochs);
}

typedef struct Swaps {
    KtEpochs *epochs;
    KtSlots *slots;
    atomic_bool stop;
    atomic_uint wrong, looked;
} Swaps;

/* Readers go in and out at every look, so that most collections run beside an entry. */
static void *look_on(void *user)
{
    Swaps *s = user;
    KtEpochReader *reader;
    cr_assert_eq(kt_epoch_register(s->epochs, &reader), KT_OK);
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        KtSlotBlock *found;
        kt_epoch_enter(s->epochs, reader);
        if (kt_slots_read(s->slots, 7, UINT64_MAX, &found) == KT_SLOT_BLOCK) {
            atomic_fetch_add_explicit(&s->wrong, ((Block *)found)->value != 1,
                                      memory_order_relaxed);
            atomic_fetch_add_explicit(&s->looked, 1, memory_order_relaxed);
        }
        kt_epoch_leave(reader);
    }
    kt_epoch_unregister(s->epochs, reader);
    return NULL;
}

static void spoil_and_free(void *user, void *memory)
{
    (void)user;
    ((Block *)memory)->value = 2;
    free(memory);
}

Test(storage_cache_rule, a_reader_never_looks_at_memory_that_was_given_back)
{
    enum { READERS = 3, SWAPS = 20000, LOOKS = 1000 };
    Swaps s = {0};
    KtCacheBytes bytes = {.limit = 1 << 20};
    pthread_t thread[READERS];
    KtSlotWord word;
    cr_assert_eq(kt_epochs_open(&s.epochs), KT_OK);
    kt_epochs_free_with(s.epochs, spoil_and_free, NULL);
    cr_assert_eq(kt_slots_open(s.epochs, &bytes, FIRST, &s.slots), KT_OK);
    for (int i = 0; i < READERS; i++)
        cr_assert_eq(pthread_create(&thread[i], NULL, look_on, &s), 0);
    for (unsigned c = 1; c <= SWAPS || atomic_load(&s.looked) < LOOKS; c++) {
        cr_assert(kt_slots_load(s.slots, 7, &word));
        cr_assert(kt_slots_fill(s.slots, 7, word, word.c, &block(1)->head));
        kt_slots_raise(s.slots, 7, FIRST + c);
        (void)kt_epochs_collect(s.epochs);
    }
    atomic_store(&s.stop, true);
    for (int i = 0; i < READERS; i++)
        (void)pthread_join(thread[i], NULL);
    cr_assert_eq(atomic_load(&s.wrong), 0u);
    cr_assert_eq(kt_epochs_collect(s.epochs), 0u);
    kt_slots_close(s.slots);
    kt_epochs_close(s.epochs);
}

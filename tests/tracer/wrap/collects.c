/* A program with the Boehm-Demers-Weiser collector: two threads allocate, it collects, and its own callback is called. */
#define GC_THREADS
#include <gc/gc.h>

#include "cases.h"

static volatile int starts, ends, stops;

static void on_event(GC_EventType event)
{
    starts += event == GC_EVENT_START;
    ends += event == GC_EVENT_END;
    stops += event == GC_EVENT_PRE_STOP_WORLD;
}

static void *allocate(void *unused)
{
    void **last = NULL;

    for (int i = 0; i < 200000; i++) {
        void **block = GC_MALLOC(100);

        if (!block || block[5])
            abort();
        block[0] = i % 100 ? last : NULL;
        last = block;
    }
    return NULL;
}

static void collections(void)
{
    pthread_t t[2];

    GC_INIT();
    printf("%d\n", GC_get_on_collection_event() == NULL);
    GC_set_on_collection_event(on_event);
    printf("%d\n", GC_get_on_collection_event() == on_event);
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, allocate, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    GC_gcollect();
    printf("%d %d %d\n", starts >= 3, ends == starts, stops >= starts);
    GC_set_on_collection_event(NULL);
    printf("%d\n", GC_get_on_collection_event() == NULL);
    GC_gcollect();
    printf("%d\n", starts == ends);
}

CASES({ "collections", collections })

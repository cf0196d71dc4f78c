/* How a piece begins: what every thread was doing, and what it had open, when its range began. */
#include "converter/piece.h"

struct early_thread *piece_early_thread(struct piece_program *p, const struct ct_read_thread *thread, bool nested)
{
    uint64_t key = thread->serial * 2 + nested;
    uint32_t place = ct_idmap_get(&p->early_places, key);
    struct early_thread *early;

    if (place != CT_IDMAP_NONE)
        return &p->early.items[place];
    early = ct_list_add(&p->early);
    if (!early || ct_idmap_add(&p->early_places, key, (uint32_t)p->early.count - 1) < 0)
        return NULL;
    *early = (struct early_thread){ .thread = thread, .nested = nested };
    early->row = (struct ct_thread_row){ .serial = thread->serial, .tid = thread->tid, .parent = thread->parent,
                                         .routine = thread->routine, .start_ticks = piece_ticks(p, thread->start_ns),
                                         .lost = thread->lost, .name = { thread->name, strlen(thread->name) } };
    return early;
}

/* 0 waits, 1 regions, 2 collector pauses; -1 what has no family known here. */
static int family_of(unsigned no)
{
    switch (no) {
    case CT_EV_REGION_BEGIN:
    case CT_EV_REGION_END:
    case CT_EV_RANGE_BEGIN:
    case CT_EV_RANGE_END:
        return 1;
    case CT_EV_GC_BEGIN:
    case CT_EV_GC_END:
        return 2;
    default:
        return no ? 0 : -1;
    }
}

static void end_innermost(struct early_thread *early, int family)
{
    for (size_t i = early->open.count; i-- > 0;)
        if (family_of(early->open.items[i].event.no) == family) {
            for (; i + 1 < early->open.count; i++)
                early->open.items[i] = early->open.items[i + 1];
            early->open.count--;
            return;
        }
}

int piece_note(struct piece *piece, struct piece_program *p, const struct ct_read_event *event)
{
    struct early_thread *early = piece_early_thread(p, event->thread, event->nested);
    struct open_begin *open;
    struct ct_text name;

    if (!early)
        return -ENOMEM;
    early->row.state = event->no == CT_EV_THREAD_EXIT ? CT_THREAD_EXITED : CT_THREAD_RUNNING;
    early->row.reason = early->row.object = 0;
    early->row.since_ticks = event->ticks;
    if (event->no == CT_EV_CPU)
        early->row.cpu = event->arg[0] + 1;
    if (event->no == CT_EV_THREAD_NAME && event->arg[0] == event->thread->serial &&
        ct_read_string(event->generation, event->arg[1], &name))
        early->row.name = name;
    if (event->info->shape == CT_SHAPE_END)
        end_innermost(early, family_of(event->no));
    if (event->info->shape != CT_SHAPE_BEGIN || family_of(event->no) < 0)
        return 0;
    open = ct_list_add(&early->open);
    if (!open)
        return -ENOMEM;
    open->info = event->info;
    return piece_take_apart(piece, p, event, &open->event);
}

int piece_put_row(struct piece_program *p, const struct ct_thread_row *row)
{
    int r = piece_use_pc(p, row->routine);

    return r < 0 ? r : ct_build_row(&p->generation->threads, thread_row, row);
}

int piece_enter(struct piece *piece, struct piece_program *p)
{
    uint64_t now = piece_ticks(p, piece->options.from_ns);
    int r = 0;

    p->before = false;
    for (size_t i = 0; i < p->early.count; i++) {
        struct early_thread *early = &p->early.items[i];

        if (r == 0 && !early->nested && early->row.state != CT_THREAD_EXITED)
            r = piece_put_row(p, &early->row);
        for (size_t k = 0; r == 0 && k < early->open.count; k++) {
            early->open.items[k].event.ticks = now;
            r = piece_append(p, early->row.serial, early->nested, early->open.items[k].info, &early->open.items[k].event);
        }
        ct_list_fini(&early->open);
    }
    p->early.count = 0;
    ct_idmap_clear(&p->early_places);
    return r;
}

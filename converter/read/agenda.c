/* A binary heap whose members know their places; at the same time, the program that started first is first. */
#include "converter/read/agenda.h"

static bool before(const struct ct_program *x, const struct ct_program *y)
{
    return x->next_ns != y->next_ns ? x->next_ns < y->next_ns : x->pub.index < y->pub.index;
}

static void put(struct ct_agenda *agenda, size_t place, struct ct_program *program)
{
    agenda->heap.items[place] = program;
    program->agenda_place = place;
}

static void rise(struct ct_agenda *agenda, struct ct_program *program)
{
    size_t i = program->agenda_place;

    while (i && before(program, agenda->heap.items[(i - 1) / 2])) {
        put(agenda, i, agenda->heap.items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(agenda, i, program);
}

static void sink(struct ct_agenda *agenda, struct ct_program *program)
{
    size_t i = program->agenda_place, child;

    while ((child = 2 * i + 1) < agenda->heap.count) {
        if (child + 1 < agenda->heap.count && before(agenda->heap.items[child + 1], agenda->heap.items[child]))
            child++;
        if (!before(agenda->heap.items[child], program))
            break;
        put(agenda, i, agenda->heap.items[child]);
        i = child;
    }
    put(agenda, i, program);
}

int ct_agenda_add(struct ct_agenda *agenda, struct ct_program *program)
{
    struct ct_program **place = ct_list_add(&agenda->heap);

    if (!place)
        return -ENOMEM;
    put(agenda, agenda->heap.count - 1, program);
    rise(agenda, program);
    return 0;
}

void ct_agenda_moved(struct ct_agenda *agenda, struct ct_program *program)
{
    sink(agenda, program);
    rise(agenda, program);
}

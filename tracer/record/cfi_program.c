/* The interpreter of call frame instructions: keeps a row's CFA and three registers. */
#include "record/cfi_program.h"

#include <errno.h>

#include "record/cfi_expression.h"
#include "record/unwind_arch.h"

/* DW_CFA_*: the first three carry an operand in their low six bits. */
enum {
    OP_ADVANCE = 0x40,
    OP_OFFSET = 0x80,
    OP_RESTORE = 0xc0,
    OP_NOP = 0x00,
    OP_SET_LOC = 0x01,
    OP_ADVANCE1 = 0x02,
    OP_ADVANCE2 = 0x03,
    OP_ADVANCE4 = 0x04,
    OP_OFFSET_EXTENDED = 0x05,
    OP_RESTORE_EXTENDED = 0x06,
    OP_UNDEFINED = 0x07,
    OP_SAME_VALUE = 0x08,
    OP_REGISTER = 0x09,
    OP_REMEMBER_STATE = 0x0a,
    OP_RESTORE_STATE = 0x0b,
    OP_DEF_CFA = 0x0c,
    OP_DEF_CFA_REGISTER = 0x0d,
    OP_DEF_CFA_OFFSET = 0x0e,
    OP_DEF_CFA_EXPRESSION = 0x0f,
    OP_EXPRESSION = 0x10,
    OP_OFFSET_EXTENDED_SF = 0x11,
    OP_DEF_CFA_SF = 0x12,
    OP_DEF_CFA_OFFSET_SF = 0x13,
    OP_VAL_OFFSET = 0x14,
    OP_VAL_OFFSET_SF = 0x15,
    OP_VAL_EXPRESSION = 0x16,
    OP_GNU_ARGS_SIZE = 0x2e,
    OP_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
};

enum { REMEMBERED_MAX = 4 }; /* compilers nest these once; each costs stack of the traced thread */

enum place {
    SAME,          /* the DWARF default */
    AT_CFA,        /* saved at cfa + offset */
    BY_EXPRESSION, /* saved where the expression says */
    UNDEFINED,
    ELSEWHERE, /* in another register, or a value: not followed */
};

/* Kept small: rows are copied, and copies above 128 bytes become calls of memcpy. */
struct column {
    enum place place;
    uint32_t block_size;
    union {
        int64_t offset;
        const unsigned char *block; /* an expression, `block_size` bytes of it */
    };
};

enum { COLUMN_FP, COLUMN_SP, COLUMN_RA, COLUMN_CFA, COLUMNS };

struct row {
    struct column columns[COLUMNS]; /* of COLUMN_CFA the offset is from cfa_register */
    uint64_t cfa_register;
};

struct machine {
    const struct cfi_cie *cie;
    struct row row;
    struct row initial; /* what the CIE's program leaves: DW_CFA_restore goes back to it */
    struct row remembered[REMEMBERED_MAX];
    unsigned remembered_count;
    uintptr_t at; /* the row describes addresses from here on */
};

/* Sets a column; registers that are not tracked have none. */
static void set_column(struct machine *m, uint64_t number, struct column column)
{
    if (number == CT_DWARF_FP)
        m->row.columns[COLUMN_FP] = column;
    else if (number == CT_DWARF_SP)
        m->row.columns[COLUMN_SP] = column;
    else if (number == CT_DWARF_RA)
        m->row.columns[COLUMN_RA] = column;
}

static void set_place(struct machine *m, uint64_t number, enum place place)
{
    set_column(m, number, (struct column){ .place = place });
}

/*
 * `factored` in units of the data alignment; unsigned arithmetic, for hostile operands wrap instead
 * of trapping.
 */
static int64_t scaled(const struct machine *m, uint64_t factored)
{
    return (int64_t)(factored * (uint64_t)m->cie->data_align);
}

static void set_offset(struct machine *m, uint64_t number, int64_t offset)
{
    set_column(m, number, (struct column){ .place = AT_CFA, .offset = offset });
}

static void restore_column(struct machine *m, uint64_t number)
{
    if (number == CT_DWARF_FP)
        m->row.columns[COLUMN_FP] = m->initial.columns[COLUMN_FP];
    else if (number == CT_DWARF_SP)
        m->row.columns[COLUMN_SP] = m->initial.columns[COLUMN_SP];
    else if (number == CT_DWARF_RA)
        m->row.columns[COLUMN_RA] = m->initial.columns[COLUMN_RA];
}

static void set_cfa(struct machine *m, uint64_t number, int64_t offset)
{
    m->row.cfa_register = number;
    m->row.columns[COLUMN_CFA] = (struct column){ .place = AT_CFA, .offset = offset };
}

static int64_t cfa_offset(const struct machine *m)
{
    const struct column *cfa = &m->row.columns[COLUMN_CFA];

    return cfa->place == AT_CFA ? cfa->offset : 0;
}

/* Takes an expression: its size, then its bytes. */
static struct column take_expression(struct cfi_bytes *program)
{
    uint64_t size = cfi_bytes_uleb(program);
    struct cfi_bytes block = cfi_bytes_split(program, size);

    if (size > UINT32_MAX)
        program->bad = true;
    return (
        struct column){ .place = BY_EXPRESSION, .block_size = (uint32_t)size, .block = block.at };
}

static int remember(struct machine *m)
{
    if (m->remembered_count == REMEMBERED_MAX)
        return -ENOTSUP;
    m->remembered[m->remembered_count++] = m->row;
    return 0;
}

static int recall(struct machine *m)
{
    if (m->remembered_count == 0)
        return -EINVAL;
    m->row = m->remembered[--m->remembered_count];
    return 0;
}

/* The instructions that set where a register of the caller is. */
static int run_register(struct machine *m, unsigned op, struct cfi_bytes *program)
{
    uint64_t number = cfi_bytes_uleb(program);

    switch (op) {
    case OP_OFFSET_EXTENDED:
        set_offset(m, number, scaled(m, cfi_bytes_uleb(program)));
        return 0;
    case OP_OFFSET_EXTENDED_SF:
        set_offset(m, number, scaled(m, (uint64_t)cfi_bytes_sleb(program)));
        return 0;
    case OP_GNU_NEGATIVE_OFFSET_EXTENDED:
        set_offset(m, number, scaled(m, -cfi_bytes_uleb(program)));
        return 0;
    case OP_RESTORE_EXTENDED:
        restore_column(m, number);
        return 0;
    case OP_UNDEFINED:
        set_place(m, number, UNDEFINED);
        return 0;
    case OP_SAME_VALUE:
        set_place(m, number, SAME);
        return 0;
    case OP_EXPRESSION:
        set_column(m, number, take_expression(program));
        return 0;
    case OP_REGISTER:
    case OP_VAL_OFFSET:
    case OP_VAL_OFFSET_SF:
        cfi_bytes_uleb(program);
        set_place(m, number, ELSEWHERE);
        return 0;
    case OP_VAL_EXPRESSION:
        take_expression(program);
        set_place(m, number, ELSEWHERE);
        return 0;
    default:
        return -ENOTSUP;
    }
}

/* The instructions that set how the CFA is computed, and the few without effect here. */
static int run_other(struct machine *m, unsigned op, struct cfi_bytes *program)
{
    uint64_t number;

    switch (op) {
    case OP_NOP:
        return 0;
    case OP_GNU_ARGS_SIZE:
        cfi_bytes_uleb(program);
        return 0;
    case OP_REMEMBER_STATE:
        return remember(m);
    case OP_RESTORE_STATE:
        return recall(m);
    case OP_DEF_CFA:
        number = cfi_bytes_uleb(program);
        set_cfa(m, number, (int64_t)cfi_bytes_uleb(program));
        return 0;
    case OP_DEF_CFA_SF:
        number = cfi_bytes_uleb(program);
        set_cfa(m, number, scaled(m, (uint64_t)cfi_bytes_sleb(program)));
        return 0;
    case OP_DEF_CFA_REGISTER:
        set_cfa(m, cfi_bytes_uleb(program), cfa_offset(m));
        return 0;
    case OP_DEF_CFA_OFFSET:
        set_cfa(m, m->row.cfa_register, (int64_t)cfi_bytes_uleb(program));
        return 0;
    case OP_DEF_CFA_OFFSET_SF:
        set_cfa(m, m->row.cfa_register, scaled(m, (uint64_t)cfi_bytes_sleb(program)));
        return 0;
    case OP_DEF_CFA_EXPRESSION:
        m->row.columns[COLUMN_CFA] = take_expression(program);
        return 0;
    default:
        return run_register(m, op, program);
    }
}

/* Steps over an advance or set_loc; true when `op` was one. */
static bool run_advance(struct machine *m, unsigned op, struct cfi_bytes *program)
{
    uint64_t distance;

    if ((op & 0xc0) == OP_ADVANCE)
        distance = op & 0x3f;
    else if (op == OP_ADVANCE1)
        distance = cfi_bytes_take(program, 1);
    else if (op == OP_ADVANCE2)
        distance = cfi_bytes_take(program, 2);
    else if (op == OP_ADVANCE4)
        distance = cfi_bytes_take(program, 4);
    else if (op == OP_SET_LOC) {
        m->at = cfi_bytes_pointer(program, m->cie->pointer_encoding);
        return true;
    } else
        return false;
    m->at += distance * m->cie->code_align;
    return true;
}

/* Runs until the bytes end or the row no longer describes `pc`. */
static int run_program(struct machine *m, struct cfi_bytes program, uintptr_t pc)
{
    while (program.at < program.end && !program.bad) {
        unsigned op = cfi_bytes_take(&program, 1);
        int r = 0;

        if (run_advance(m, op, &program)) {
            if (m->at > pc)
                break;
        } else if ((op & 0xc0) == OP_OFFSET) {
            set_offset(m, op & 0x3f, scaled(m, cfi_bytes_uleb(&program)));
        } else if ((op & 0xc0) == OP_RESTORE) {
            restore_column(m, op & 0x3f);
        } else {
            r = run_other(m, op, &program);
        }
        if (r < 0)
            return r;
    }
    return program.bad ? -EINVAL : 0;
}

static int run_expression(const struct column *column, uintptr_t pc, struct cfi_term *ret)
{
    return cfi_expression_run(
        (struct cfi_bytes){ column->block, column->block + column->block_size, false }, pc, ret);
}

static bool fits(int64_t value)
{
    return value == (int32_t)value;
}

/*
 * Where the caller's frame pointer is.  What cannot be followed is lost, which only matters to who
 * needs it.
 */
static void reduce_fp(const struct row *row, uintptr_t pc, struct ct_cfi_rule *rule)
{
    const struct column *fp = &row->columns[COLUMN_FP];
    struct cfi_term term;

    rule->fp = CT_CFI_FP_LOST;
    if (fp->place == SAME) {
        rule->fp = CT_CFI_FP_SAME;
    } else if (fp->place == AT_CFA && fits(fp->offset)) {
        rule->fp = CT_CFI_FP_AT_CFA;
        rule->fp_offset = fp->offset;
    } else if (fp->place == BY_EXPRESSION && run_expression(fp, pc, &term) == 0 &&
               term.base == CT_CFI_FP && !term.deref && fits(term.offset)) {
        rule->fp = CT_CFI_FP_AT_FP;
        rule->fp_offset = term.offset;
    }
}

static int reduce_cfa(const struct row *row, uintptr_t pc, struct ct_cfi_rule *rule)
{
    const struct column *cfa = &row->columns[COLUMN_CFA];
    struct cfi_term term = { .offset = cfa->offset };

    if (cfa->place == BY_EXPRESSION) {
        int r = run_expression(cfa, pc, &term);

        if (r < 0)
            return r;
    } else if (row->cfa_register == CT_DWARF_SP) {
        term.base = CT_CFI_SP;
    } else if (row->cfa_register == CT_DWARF_FP) {
        term.base = CT_CFI_FP;
    }
    if (term.base == CT_CFI_NONE || !fits(term.offset) || !fits(term.addend))
        return -ENOTSUP;
    rule->base = term.base;
    rule->deref = term.deref;
    rule->offset = term.offset;
    rule->addend = term.addend;
    return 0;
}

static int reduce(const struct row *row, uintptr_t pc, struct ct_cfi_rule *ret)
{
    const struct column *ra = &row->columns[COLUMN_RA];
    struct ct_cfi_rule rule = { 0 };

    if (ra->place == UNDEFINED) {
        *ret = (struct ct_cfi_rule){ .last = true };
        return 0;
    }
    if (ra->place != AT_CFA || ra->offset != -8 || row->columns[COLUMN_SP].place != SAME)
        return -ENOTSUP;

    int r = reduce_cfa(row, pc, &rule);

    if (r < 0)
        return r;
    reduce_fp(row, pc, &rule);
    *ret = rule;
    return 0;
}

int ct_cfi_run(const struct cfi_cie *cie, struct cfi_bytes program, uintptr_t start, uintptr_t pc,
               struct ct_cfi_rule *ret)
{
    struct machine m; /* not zeroed as a whole: the compiler would call memset for it */
    int r;

    if (cie->signal) {
        *ret = (struct ct_cfi_rule){ .signal = true };
        return 0;
    }
    m.cie = cie;
    m.at = start;
    m.remembered_count = 0;
    m.row = (struct row){ .cfa_register = ~(uint64_t)0 };
    m.initial = m.row;
    r = run_program(&m, cie->program, UINTPTR_MAX);
    if (r < 0)
        return r;
    m.initial = m.row;
    m.at = start;
    r = run_program(&m, program, pc);
    return r < 0 ? r : reduce(&m.row, pc, ret);
}

/* The evaluator of DWARF expressions over symbolic registers. */
#include "record/cfi_expression.h"

#include <errno.h>

#include "record/unwind_arch.h"

/* DW_OP_*. */
enum {
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST1S = 0x09,
    OP_CONST2U = 0x0a,
    OP_CONST2S = 0x0b,
    OP_CONST4U = 0x0c,
    OP_CONST4S = 0x0d,
    OP_CONST8U = 0x0e,
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_DUP = 0x12,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_EQ = 0x29,
    OP_GE = 0x2a,
    OP_GT = 0x2b,
    OP_LE = 0x2c,
    OP_LT = 0x2d,
    OP_NE = 0x2e,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_BREG0 = 0x70,
    OP_BREG31 = 0x8f,
};

enum { STACK_MAX = 8 };

struct stack {
    struct cfi_term terms[STACK_MAX];
    unsigned count;
};

static int push(struct stack *stack, struct cfi_term term)
{
    if (stack->count == STACK_MAX)
        return -ENOTSUP;
    stack->terms[stack->count++] = term;
    return 0;
}

static int push_number(struct stack *stack, int64_t number)
{
    return push(stack, (struct cfi_term){ .offset = number });
}

static int push_register(struct stack *stack, unsigned number, int64_t offset, uintptr_t pc)
{
    if (number == CT_DWARF_SP)
        return push(stack, (struct cfi_term){ .base = CT_CFI_SP, .offset = offset });
    if (number == CT_DWARF_FP)
        return push(stack, (struct cfi_term){ .base = CT_CFI_FP, .offset = offset });
    if (number == CT_DWARF_RA)
        return push_number(stack, (int64_t)(pc + (uint64_t)offset));
    return -ENOTSUP;
}

/* Adds without undefined overflow: operands are hostile. */
static void add_number(struct cfi_term *term, int64_t number)
{
    int64_t *part = term->deref ? &term->addend : &term->offset;

    *part = (int64_t)((uint64_t)*part + (uint64_t)number);
}

static int add(struct stack *stack)
{
    struct cfi_term *left = &stack->terms[stack->count - 2], right = stack->terms[stack->count - 1];

    if (left->base != CT_CFI_NONE && right.base != CT_CFI_NONE)
        return -ENOTSUP;
    if (left->base == CT_CFI_NONE) {
        struct cfi_term number = *left;

        *left = right;
        right = number;
    }
    add_number(left, right.offset);
    stack->count--;
    return 0;
}

static int64_t compute(unsigned op, int64_t left, int64_t right)
{
    switch (op) {
    case OP_AND:
        return left & right;
    case OP_SHL:
        return right >= 0 && right < 64 ? (int64_t)((uint64_t)left << right) : 0;
    case OP_EQ:
        return left == right;
    case OP_GE:
        return left >= right;
    case OP_GT:
        return left > right;
    case OP_LE:
        return left <= right;
    case OP_LT:
        return left < right;
    default:
        return left != right;
    }
}

/* The operations on the two topmost terms. */
static int run_binary(struct stack *stack, unsigned op)
{
    if (stack->count < 2)
        return -EINVAL;
    if (op == OP_PLUS)
        return add(stack);

    struct cfi_term *left = &stack->terms[stack->count - 2], *right = left + 1;

    if (right->base != CT_CFI_NONE)
        return -ENOTSUP;
    if (op == OP_MINUS)
        add_number(left, (int64_t) - (uint64_t)right->offset);
    else if (left->base != CT_CFI_NONE)
        return -ENOTSUP;
    else
        left->offset = compute(op, left->offset, right->offset);
    stack->count--;
    return 0;
}

/* The operations on the topmost term. */
static int run_unary(struct stack *stack, unsigned op, struct cfi_bytes *expression)
{
    if (stack->count == 0)
        return -EINVAL;

    struct cfi_term *top = &stack->terms[stack->count - 1];

    if (op == OP_DUP)
        return push(stack, *top);
    if (op == OP_PLUS_UCONST) {
        add_number(top, (int64_t)cfi_bytes_uleb(expression));
        return 0;
    }
    if (top->base == CT_CFI_NONE || top->deref)
        return -ENOTSUP;
    top->deref = true;
    return 0;
}

static int run_operation(struct stack *stack, unsigned op, struct cfi_bytes *expression,
                         uintptr_t pc)
{
    if (op >= OP_LIT0 && op <= OP_LIT31)
        return push_number(stack, op - OP_LIT0);
    if (op >= OP_BREG0 && op <= OP_BREG31)
        return push_register(stack, op - OP_BREG0, cfi_bytes_sleb(expression), pc);
    switch (op) {
    case OP_CONST1U:
    case OP_CONST2U:
    case OP_CONST4U:
    case OP_CONST8U:
        return push_number(stack, (int64_t)cfi_bytes_take(expression, 1u << (op - OP_CONST1U) / 2));
    case OP_CONST1S:
    case OP_CONST2S:
    case OP_CONST4S:
    case OP_CONST8S:
        return push_number(stack, cfi_bytes_signed(expression, 1u << (op - OP_CONST1S) / 2));
    case OP_CONSTU:
        return push_number(stack, (int64_t)cfi_bytes_uleb(expression));
    case OP_CONSTS:
        return push_number(stack, cfi_bytes_sleb(expression));
    case OP_DUP:
    case OP_DEREF:
    case OP_PLUS_UCONST:
        return run_unary(stack, op, expression);
    case OP_AND:
    case OP_MINUS:
    case OP_PLUS:
    case OP_SHL:
    case OP_EQ:
    case OP_GE:
    case OP_GT:
    case OP_LE:
    case OP_LT:
    case OP_NE:
        return run_binary(stack, op);
    default:
        return -ENOTSUP;
    }
}

int cfi_expression_run(struct cfi_bytes expression, uintptr_t pc, struct cfi_term *ret)
{
    struct stack stack = { .count = 0 };

    while (expression.at < expression.end && !expression.bad) {
        unsigned op = cfi_bytes_take(&expression, 1);
        int r = run_operation(&stack, op, &expression, pc);

        if (r < 0)
            return r;
    }
    if (expression.bad || stack.count == 0)
        return -EINVAL;
    *ret = stack.terms[stack.count - 1];
    return 0;
}

// C++ frames for the unwinder's test: std::sort with a lambda, a destructor while an exception passes.
#include <algorithm>
#include <stdexcept>
#include <vector>

extern "C" void cxx_call(void (*callee)(void *), void *argument);

namespace {

struct Guard {
    void (*callee)(void *);
    void *argument;
    ~Guard() { callee(argument); }
};

void sorted(void (*callee)(void *), void *argument)
{
    std::vector<int> numbers{ 5, 3, 9, 1 };
    bool called = false;

    std::sort(numbers.begin(), numbers.end(), [&](int a, int b) {
        if (!called)
            callee(argument);
        called = true;
        return a < b;
    });
}

void thrown(void (*callee)(void *), void *argument)
{
    Guard guard{ callee, argument };

    throw std::runtime_error("passing");
}

} // namespace

void cxx_call(void (*callee)(void *), void *argument)
{
    sorted(callee, argument);
    try {
        thrown(callee, argument);
    } catch (const std::runtime_error &) {
        callee(argument);
    }
}

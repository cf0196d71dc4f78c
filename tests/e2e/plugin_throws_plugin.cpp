// The plugin of plugin_throws: has a frame with a destructor between who throws and who catches.
extern "C" int cleaned;
int cleaned;

extern "C" void call_back(void (*callback)(int), int i)
{
    struct guard {
        ~guard() { cleaned++; }
    } g;

    callback(i);
}

"""Pairs of error messages, labelled by hand: whether a person would look at one when he meets the other."""

SAME = [
    ("Connection refused by db:5432", "connection to db:5432 was refused"),
    ("TypeError: Cannot read properties of undefined (reading 'name')", "Cannot read property 'name' of undefined"),
    ("ModuleNotFoundError: No module named 'requests'", "ImportError: No module named requests"),
    ("KeyError: 'user_id'", "KeyError: user_id"),
    ("Undefined variable: foo", "Undefined variable $foo"),
    ("sqlite3.OperationalError: database is locked", "OperationalError: database is locked"),
    ("permission denied while opening /var/log/app.log", "Permission denied: '/var/log/app.log'"),
    ("AssertionError: expected 3 got 4 in test_totals", "test_totals: AssertionError: expected 5 got 9"),
    ("Timeout waiting for worker 3 to start", "timed out waiting for worker 7 to start"),
    (
        "Failed to parse config.yaml: mapping values are not allowed here",
        "config.yaml: mapping values are not allowed here",
    ),
    ("fatal: not a git repository", "fatal: not a git repository (or any of the parent directories): .git"),
    ("java.lang.NullPointerException at OrderService.total", "NullPointerException in OrderService.total"),
    ("ECONNREFUSED 127.0.0.1:6379", "connect ECONNREFUSED 127.0.0.1:6380"),
    ("npm ERR! code ENOENT", "npm error code ENOENT"),
    (
        "Allowed memory size of 134217728 bytes exhausted",
        "Allowed memory size of 1024 bytes exhausted (tried to allocate 20480)",
    ),
    (
        "panic: runtime error: index out of range [3] with length 3",
        "runtime error: index out of range [5] with length 5",
    ),
    (
        "duplicate key value violates unique constraint users_email_key",
        "unique constraint users_email_key violated: duplicate key",
    ),
    ("could not resolve host: api.example.com", "Could not resolve host api.example.com"),
    ("UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff", "'utf-8' codec can't decode byte 0xfe in position 0"),
    (
        "error TS2322: Type 'string' is not assignable to type 'number'",
        "Type 'boolean' is not assignable to type 'number'",
    ),
    ("upstream sent too big header", "the header that upstream sent was larger than allowed"),
    ("cart total is wrong after removing an item", "removing an item from the cart leaves a wrong total"),
]
OTHER = [
    ("Undefined variable: foo", "Undefined index: bar"),
    ("Connection refused by db:5432", "relation users does not exist"),
    ("KeyError: 'user_id'", "ValueError: invalid literal for int()"),
    ("TypeError: x is not a function", "TypeError: Cannot read properties of null"),
    ("No module named 'requests'", "No such file or directory: 'requests.txt'"),
    ("permission denied while opening app.log", "permission to publish the package was denied by the registry"),
    ("database is locked", "database disk image is malformed"),
    ("syntax error near unexpected token `('", "unexpected response from server"),
    ("Timeout waiting for worker to start", "worker exited with code 1"),
    ("AssertionError: expected 3 got 4 in test_totals", "AssertionError: list is empty in test_orders"),
    ("ECONNREFUSED 127.0.0.1:6379", "EACCES: permission denied, open 'x'"),
    ("fatal: not a git repository", "fatal: refusing to merge unrelated histories"),
    ("npm ERR! code ENOENT", "npm ERR! peer dependency conflict"),
    ("index out of range", "integer divide by zero"),
    ("could not resolve host api.example.com", "certificate of api.example.com has expired"),
    ("Allowed memory size exhausted", "Maximum execution time exceeded"),
    (
        "duplicate key value violates unique constraint users_email_key",
        "insert or update violates foreign key constraint orders_user_fkey",
    ),
    ("cart total is wrong after removing an item", "cart icon is missing on the checkout page"),
    ("Type 'string' is not assignable to type 'number'", "Property 'id' does not exist on type 'User'"),
    ("login fails with an empty password", "login page shows no password field"),
    ("worker 3 lost its connection to the queue", "the queue is full"),
    ("segmentation fault (core dumped)", "out of memory: killed process"),
    ("config.yaml: mapping values are not allowed here", "config.yaml: no such key 'port'"),
    ("test_totals failed", "test_orders failed"),
]

# Written after the threshold had been chosen on the pairs above.
SAME_LATER = [
    ("Error: listen EADDRINUSE: address already in use :::3000", "EADDRINUSE: port 3001 address already in use"),
    ("AttributeError: 'NoneType' object has no attribute 'group'", "'NoneType' object has no attribute 'groups'"),
    ("Call to undefined method App\\User::orders()", "undefined method orders() called on App\\User"),
    ("error[E0382]: borrow of moved value: `config`", "E0382 use of moved value: `settings`"),
    ("SSL: CERTIFICATE_VERIFY_FAILED certificate verify failed", "certificate verify failed: self signed certificate"),
    ("ReferenceError: window is not defined", "window is not defined"),
    ("Deadlock found when trying to get lock; try restarting transaction", "deadlock found when trying to get lock"),
    ("invoice pdf is empty for orders without tax", "empty pdf of the invoice when an order has no tax"),
    (
        "RecursionError: maximum recursion depth exceeded",
        "maximum recursion depth exceeded while calling a Python object",
    ),
    ("upload of files over 2 GB fails", "uploading large files does not work"),
]
OTHER_LATER = [
    ("ReferenceError: window is not defined", "ReferenceError: require is not defined in ES module scope"),
    ("EADDRINUSE: address already in use", "EADDRNOTAVAIL: cannot assign requested address"),
    ("'NoneType' object has no attribute 'group'", "'list' object is not callable"),
    ("Call to undefined method App\\User::orders()", "Class App\\Order not found"),
    ("error[E0382]: borrow of moved value", "error[E0277]: trait bound not satisfied"),
    ("certificate verify failed", "token verify failed: signature has expired"),
    ("Deadlock found when trying to get lock", "Table orders is read only"),
    ("invoice pdf is empty", "invoice mail is never sent"),
    ("maximum recursion depth exceeded", "maximum upload size exceeded"),
    ("unexpected end of JSON input", "unexpected indent in line 4"),
]

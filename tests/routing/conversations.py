"""What is said in the middle of a conversation: what only the conversation explains, and what stands alone."""

STAYS = """
yes
yes please
yep, go
sure, do that
ok
okay then
no
no, stop
nope
go ahead
go on
continue
keep going
please continue
do it
do that
do both
do all of them
the first one
the second one please
option 2
option b
plan a then
let's take the former
the latter
number three
both of them
neither
thanks
thank you, that worked
perfect, ship it
lgtm
looks good, commit it
great, next
try again
once more please
retry
undo that
revert that
revert your last change
go back
still fails
still the same error
still not working
that didn't work
it works now
that's wrong
that's not what i asked for
you forgot the tests
you missed one
as you said
like before
as before, but in french
same for the other file
same for the client
the same in the other module
do the same thing for orders
also for the admin page
and the tests?
and in german?
and now the docs
but keep the old name
but without the cache
then remove it
then run it
now make it faster
now the other one
also add a test for that
instead of that use a map
actually, leave it
hmm, are you sure
wait, not that file
what about the other endpoint
how about the empty case
why did you change that
why did you do it that way
explain that again
explain your plan
shorter please
more details please
make it shorter
make those configurable
is this correct?
is that safe?
fix it
fix that
rename it
test it
what does it do
what do you mean by that
show it to me
refactor this function
add a comment to this function
that function is too long
these changes look risky, check them again
this test is flaky
ja
ja bitte
mach weiter
nein
und die tests?
oui
oui vas-y
et en anglais ?
sí
sí, dale
sim, pode seguir
да
давай
好的
继续
はい
お願いします
네
"""
ALONE = """
fix the typo in README.md
rename `cfg` to `settings` in loader.py
which file defines the retry policy
list the open issues of this project
what does this repo do
what port does the dev server use
run the linter
run the tests of the api package
bump pydantic to 2.11.3
sort the imports in app/models.py
add a dropdown for all users
add dark mode to the settings page
add an option to hide the sidebar in settings.tsx
implement a csv export endpoint with tests
write tests for the invoice service
write a test that fails when the cache is cold
write a migration that adds a column to orders
review the diff of feature/search
review this pr
refactor the billing module to use dataclasses
upgrade django from 4.2 to 5.1
convert the charts folder to typescript
explain how the scheduler picks the next job
explain the retry policy of the mail worker
document the public functions of client.py
is it safe to upgrade numpy
which one of the services owns the invoices table
why does the build of the docs folder take so long
prove that the merge algorithm is linearizable
design an audit log that nobody can rewrite
threat model the plugin sandbox
find the memory leak in the image cache
our nightly job fails every third run, find out why
set up github actions for linting and tests
dockerize the rails app for production
create a spinner component in src/ui
generate a changelog entry for version 2.1
delete the unused file src/old.py
drop the orders table in production
profile the startup of the cli and report the slowest imports
count the todo comments in src
show the last 20 lines of server.log
install the dependencies of the web package
start the worker with the debug flag
benachrichtige Nutzer per E-Mail, wenn ihr Abo ausläuft
schreib Tests für den Warenkorb
ajoute une page de profil avec un avatar
quel fichier contient les routes ?
añade paginación a la lista de pedidos
¿qué versión de node usamos?
给登录页面添加一个按钮
"""

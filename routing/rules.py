"""Tables beside the scores: the user's own choice of tier, floors, and prompts that lean on the conversation."""

from routing.features import IDENT, NUMBER, PATH, QUOTED, TIER_NAMES, Text, words_of
from routing.score import HAIKU, OPUS, SONNET, TIERS


def _terms(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split(b","))


MOST_LINES = 64  # that name a tier and are looked at
# "use opus", "with haiku": words that make the tier after them the user's choice.
_CHOOSERS = _terms("use,using,via,let,ask,have,run,spawn,nimm,mit,con,avec,com,usa,utilise,verwende,benutze")
_MAYBE_CHOOSERS = _terms("with,on,by")
_HANDOVERS = _terms("delegate,switch,hand,give,send,escalate,route,pass,assign")
_NOT_CHOOSING = _terms(
    "dont,not,never,no,without,avoid,compare,compared,comparison,work,works,worked,tested,versus,vs,than,like"
)
_ASKING = _terms("why,what,whats,which,does,do,did,is,are,was,were,how,when,where,who,explain,should")
_ARTICLES = _terms("the,our,a,an,just,claude,model")
_ABOUT_A_POEM = _terms("poem,poems,form,style,syllables,verse,verses,stanza")

_DESTROY = _terms(
    "drop,delete,truncate,wipe,purge,erase,destroy,dropping,deleting,truncating,wiping,lösche,borra,supprime"
)
_DATA = _terms(
    "column,columns,table,tables,database,databases,db,bucket,buckets,rows,records,users,customers,accounts,"
    "history,backups,backup,schema,collection,volume,volumes,cluster,namespace,tenant,data,objects,partition,"
    "partitions,queue"
)
_STAKES = _terms("prod,production,live,backups,backup,customers,irreversible,irreversibly,everything,payments,ledger")
_FORCED = _terms("force push,push force,reset hard,hard reset,rm rf,rewrite history")
_READS_ONLY = _terms(
    "list,show,find,which,where,what,whats,who,count,grep,print,explain,is,are,does,do,did,how,why,review"
)

_AGREEMENT = _terms(
    "yes,yep,yeah,yup,y,ok,okay,k,sure,go,ahead,do,it,that,this,please,pls,thanks,thank,you,continue,proceed,no,"
    "nope,n,stop,sounds,looks,good,great,perfect,nice,fine,right,correct,lgtm,ship,agreed,exactly,done,next,now,"
    "then,the,on,with,keep,going,so,all,both,neither,either,again,try,retry,same,and,also,cool,approved,confirm,"
    "confirmed,cancel,wait,ja,nein,bitte,mach,weiter,danke,genau,oui,non,vas,y,continue,merci,si,sí,dale,sigue,"
    "adelante,gracias,sim,não,pode,seguir,isso,да,нет,давай,продолжай"
)
_WIDE_AGREEMENT = (
    "好",
    "好的",
    "是",
    "是的",
    "继续",
    "可以",
    "行",
    "对",
    "はい",
    "お願いします",
    "続けて",
    "いいえ",
    "ok",
    "네",
    "계속",
    "그래",
)
_CHOICES = _terms(
    "first,second,third,fourth,last,former,latter,option,options,one,two,three,a,b,c,d,e,variant,version,choice,"
    "approach,plan,number,erste,zweite,dritte,primera,segunda,première,deuxième,primeira,write,take,pick,"
    "implement,choose,lets,let"
)
_OPTION_TERMS = _terms(
    "first one,second one,third one,last one,other one,option a,option b,option c,option d,option _number,"
    "the former,the latter,the first,the second,the third,both of,other two,that one,this one,these two,"
    "those two,do _number,plan a,plan b,variant a,variant b,the other,the others,same for,same thing,the same,"
    "same again,same as,likewise for"
)
_BACK_TERMS = _terms(
    "as above,see above,like before,as before,as you,you said,you suggested,you mentioned,you proposed,"
    "you forgot,you missed,you just,you did,you changed,you wrote,you made,you added,your last,your change,"
    "your changes,your plan,your suggestion,your answer,your previous,your approach,previous one,try again,"
    "once more,still fails,still failing,still broken,still not,still doesnt,still the,didnt work,doesnt work,"
    "not working,same error,thats wrong,thats not,undo that,undo it,revert that,revert it,that worked,it works,"
    "it worked,go back,what about,how about,instead of that,more detail,more details,in more,shorter please,"
    "make it,make them,make that,make those,those rules,these changes,those changes,that change,this change,"
    "that function,this function,that file,this file,that column,that test,this test,that error,this error,"
    "those files,these files,that migration,that branch,the above,the rest,the remaining,this module,that module,"
    "this class,that class,this method,that method,this code,that code,this typo"
)
_CONTINUES = _terms(
    "and,but,also,now,again,instead,then,actually,hmm,oh,wait,otherwise,same,ditto,und,aber,et,mais,y,pero,e,undo,revert"
)
_PRONOUNS = _terms("it,that,this,those,them,these,they,its,das,es,ça,cela,eso,esto,isso,isto,one,ones")
_IS = (b"is", b"was")
_AFTER_PRONOUN = _terms("for,to,in,into,with,again,too,as,by,on,please,instead,now,and,from,first,next")
_FEW = 5  # words that say so little about the work that what they lean on says more
_ANYWAY_SMALL = _terms(
    "commit,push,pull,show,print,list,count,run,rerun,format,lint,save,open,copy,paste,translate,shorten,rename,what,"
    "which,where,how,who,when,is,are,does,did,zeig,montre,muestra"
)
# Nouns a fresh agent finds by itself: "this repo" needs no conversation.
_HERE = _terms(
    "repo,repository,project,codebase,folder,directory,workspace,package,branch,app,machine,pr,service,monorepo,diff,week,month,year"
)


def chosen_tier(text: Text) -> str | None:
    """The tier the user asks for in words of his own, when exactly one is asked for."""
    if not text.names_tier:
        return None
    from routing import voice  # few prompts name a tier

    lines = voice.spoken(text.raw).strip().split(b"\n")
    if not _ASKING.isdisjoint(words_of(lines[0])[:1]):
        return None
    naming = [line for line in lines if any(name in line.lower() for name in TIER_NAMES)]
    asked = {tier for line in naming[:MOST_LINES] if (tier := _asked_for(words_of(line)))}
    return asked.pop() if len(asked) == 1 else None


def _asked_for(words: list[bytes]) -> str | None:
    named = [i for i, word in enumerate(words) if word in TIER_NAMES]
    if len({words[i] for i in named}) != 1:
        return None
    return words[named[0]].decode() if any(_asks_for(words, i) for i in named) else None


def _asks_for(words: list[bytes], i: int) -> bool:
    after = words[i + 1] if i + 1 < len(words) else b""
    before = [word for word in words[max(0, i - 5) : i] if word not in _ARTICLES]
    if after in _ABOUT_A_POEM or not _NOT_CHOOSING.isdisjoint(before[-3:]):
        return False
    if not before:
        return after == b"general"
    if before[-1] in _CHOOSERS:
        return True
    if before[-1] in _MAYBE_CHOOSERS:
        return i < 6 or i >= len(words) - 6
    return before[-1] == b"to" and not _HANDOVERS.isdisjoint(before[-4:-1])


def floor(text: Text) -> tuple[str, str] | None:
    """The cheapest tier that may do something that is hard to undo, and why."""
    words, terms = text.words, text.terms
    if not words or reads_only(text):
        return None
    if not _FORCED.isdisjoint(terms) or (not _DESTROY.isdisjoint(terms) and _destroys_data(words)):
        return (SONNET, "hard to undo") if _STAKES.isdisjoint(terms) else (OPUS, "hard to undo, high stakes")
    return None


def reads_only(text: Text) -> bool:
    return text.first[0] in _READS_ONLY


def _destroys_data(words: list[bytes]) -> bool:
    for i, word in enumerate(words):
        if word in _DESTROY:
            for j in range(i + 1, min(i + 6, len(words))):
                if words[j] in _DATA and words[j + 1 : j + 2] != [b"of"]:
                    return True
    return False


def is_bare_answer(text: Text) -> bool:
    """Nothing but agreement, refusal or the choice of an option: the work is in what it answers."""
    if len(text.words) > 8:
        return False
    if text.wide and text.size <= 8:
        return text.ask.decode("utf-8", "replace").strip(" 。.!、,\n\uff01\uff0c") in _WIDE_AGREEMENT
    if any(len(word) == 1 and word.isalpha() for word in text.words[:1]) and len(text.words) <= 3:
        return all(word in _AGREEMENT or word in _CHOICES for word in text.words)
    plain = [word for word in text.words if word not in _AGREEMENT and word not in _CHOICES and word != NUMBER]
    return bool(text.words) and not plain


def leans(text: Text, first_prompt: bool) -> str | None:
    """Why this prompt cannot be understood without the conversation; None when it stands alone."""
    for test, why in _LEANINGS[:3] if first_prompt else _LEANINGS:
        if test(text):
            return why
    return None


def inherits(text: Text) -> bool:
    """The prompt says nothing about the work itself: it has the tier of what it answers."""
    return text.is_empty or is_bare_answer(text) or (text.size <= 10 and _chooses(text))


def is_about_before(text: Text) -> bool:
    """Of prompts that lean on the conversation: so short that its work is in what came before, and not small anyway."""
    return text.size <= _FEW and not text.pasted and text.first[0] not in _ANYWAY_SMALL


def _is_empty(text: Text) -> bool:
    return text.is_empty


def _chooses(text: Text) -> bool:
    return text.size <= 40 and not _OPTION_TERMS.isdisjoint(text.terms) and not _names_something(text)


def _refers_back(text: Text) -> bool:
    return text.size <= 40 and text.pasted == text.paths == 0 and not _BACK_TERMS.isdisjoint(text.terms)


def _continues(text: Text) -> bool:
    return text.size <= 40 and text.paths == 0 and not _CONTINUES.isdisjoint(text.words[:1])


def _names_something(text: Text) -> bool:
    return text.size > 16 and text.paths + text.idents + text.quoted > 0


def _pronoun_only(text: Text) -> bool:
    words = text.words
    if text.size > 10 or text.pasted or not {PATH, IDENT, QUOTED}.isdisjoint(words):
        return False
    return any(
        word in _PRONOUNS and (i + 1 == len(words) or words[i + 1] not in _HERE) and not _introduced(words, i)
        for i, word in enumerate(words)
    )


def _introduced(words: list[bytes], i: int) -> bool:
    """`a test that fails`, `prove that`, `is it safe`, `which one`: the pronoun stands for nothing said before."""
    after = words[i + 1] if i + 1 < len(words) else b""
    if words[i] == b"that":
        return i > 0 and words[i - 1] not in _IS and after != b"" and after not in _AFTER_PRONOUN
    return words[i] in (b"one", b"ones") or (words[i] in (b"it", b"es") and i > 0 and words[i - 1] in _IS)


def raised(tier: str) -> str:
    return _RAISED[tier]


def at_least(tier: str, lowest: str) -> str:
    return max(tier, lowest, key=TIERS.index)


_RAISED = {HAIKU: SONNET, SONNET: OPUS, OPUS: OPUS}
# The first three hold even where nothing was said before, as after a resumed session.
_LEANINGS = (
    (_is_empty, "nothing is asked"),
    (is_bare_answer, "answers what was said before"),
    (_chooses, "chooses among what was said before"),
    (_refers_back, "refers to earlier work"),
    (_continues, "continues earlier work"),
    (_pronoun_only, "refers to something by a pronoun only"),
)

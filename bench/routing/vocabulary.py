"""What words say about work: whole words or pairs of adjacent words, lower case, separated by commas."""

GROUPS = {
    "mechanical words": (
        "typo,typos,spelling,misspelled,rename,reformat,format,formatting,lint,linter,prettier,bump,sort,alphabetical,"
        "alphabetically,capitalize,uppercase,lowercase,indent,indentation,whitespace,trailing,newline,comma,semicolon,"
        "quotes,unused,imports,import,uncomment,comment out,commented,label,swap,replace,inline,gitignore,copyright,"
        "commit,commit message,push,stage,staged,changelog,version,hardcoded,placeholder,wording,casing,"
        "snake,camelcase,constant,"
        "remove,delete line,tabs,spaces,header,color,colour,padding,title,accent,enum,alias,skip,disable,"
        "umbenennen,tippfehler,formatiere,renombra,renomme,renommer,faute,renomear,corrige,ersetze,entferne"
    ),
    "lookup words": (
        "which,where,who,list,show,print,count,grep,find,whats,what is,how many,is there,are there,does,do we,do i,"
        "did,when,path,location,located,file name,names,tell me,give me,number of,line number,lookup,look up,anywhere,"
        "already,currently,latest,wo,welche,welcher,wer,zeig,liste,cual,donde,qual,onde,quel,quelle,lista,muestra,"
        "affiche,mostra,combien,cuantos,cuántos,quantos,wie viele"
    ),
    "run words": (
        "run,rerun,restart,start,stop,execute,install,pull,fetch,checkout,status,logs,log lines,tail,output,passed,"
        "passes,passing,roda,lance,ejecuta,starte,führe,exécute,rode"
    ),
    "small words": (
        "just,only,one,single,small,quick,quickly,simply,simple,line,yes or,or no,one liner,tiny,minor,trivial,"
        "in one,human words,short,briefly,nur,solo,juste,seulement,apenas,kurz"
    ),
    "feature words": (
        "add,implement,create,build,support,endpoint,page,screen,component,form,button,feature,integrate,set up,setup,"
        "generate,write,scaffold,introduce,allow,users can,should be,pagination,upload,export,importer,exporter,widget,"
        "view,dashboard,webhook,cli,command,extension,plugin,api,login,search,filter,cache,caching,implementiere,"
        "erstelle,ajoute,ajouter,crea,agrega,añade,adiciona,implementa,implemente,baue,schreib,escribe,écris,crie"
    ),
    "test words": (
        "test,tests,testing,coverage,e2e,unit,playwright,pytest,jest,vitest,fixture,fixtures,mock,mocks,regression,"
        "snapshot,harness,test plan,property based,hypothesis,cypress,pruebas,testes,prueba,spec,specs"
    ),
    "bug words": (
        "fix,bug,error,errors,fail,fails,failing,failed,failure,broken,breaks,crash,crashes,exception,wrong,blank,"
        "undefined,null,instead of,doesnt,does not,isnt,wont,stuck,hangs,hang,slow,missing,unexpected,regressed,"
        "fehler,kaputt,erreur,plante,falla,erro,error message,not working,stopped working,ipv6,timeout,timeouts"
    ),
    "restructuring words": (
        "refactor,refactoring,extract,split,clean,cleanup,clean up,migrate,migration,port,convert,upgrade,move,"
        "restructure,readable,decouple,deduplicate,modernize,modernise,switch,replace the,rewrite,consolidate,simplify,"
        "legacy,deprecated,refaktoriere,refactoriza,refatorar,refactorise,typescript"
    ),
    "review words": (
        "review,audit,feedback,pr,prs,diff,code review,approve,approval,findings,critique,tighten,second opinion,"
        "look over,look at,sanity check,revisa,prüfe,relis,revise"
    ),
    "explanation words": (
        "explain,understand,walk me,walk through,walkthrough,overview,summarize,summary,describe,document,docs,"
        "documentation,readme,docstring,docstrings,guide,tutorial,onboarding,how does,how do,difference,mean,means,"
        "meaning,erklär,erkläre,explica,explique,explicar,dokumentiere,résume,beschreibe"
    ),
    "operations words": (
        "ci,github actions,github action,workflow,pipeline,docker,dockerfile,dockerize,compose,terraform,ansible,helm,"
        "kubernetes,k8s,nginx,caddy,deploy,deployment,alarms,alerts,monitoring,cron,scheduled,config,configure,"
        "configuration,environment,staging,release,releases,build,bucket,lambda,reverse proxy"
    ),
    "concurrency words": (
        "race,races,racy,race condition,deadlock,deadlocks,livelock,concurrency,concurrent,concurrently,lock free,"
        "lockfree,wait free,atomic,atomics,memory ordering,memory model,fence,fencing,volatile,interleave,interleaving,"
        "interleavings,linearizable,linearizability,serializable,serializability,consistency,consistent,consensus,raft,"
        "paxos,quorum,split brain,idempotent,idempotency,exactly once,at least,replication,replicas,replica,followers,"
        "leader,failover,clock skew,isolation,anomalies,mvcc,lease,leases,happens before,reentrancy,starvation,thread,"
        "threads,multithreaded,mutex,crdt,crdts,eventual,ordering,causal,outbox,saga,two phase,stale,nebenläufig"
    ),
    "memory words": (
        "use after,double free,heap,overflow,segfault,sigsegv,corruption,undefined behavior,undefined behaviour,"
        "leak,leaks,leaking,gc,garbage,allocator,unsafe,aliasing,simd,cache line,kernel,driver,interrupt,dma,jit,"
        "lifetime,lifetimes,soundness,unsound,abi,reachability,oom"
    ),
    "security words": (
        "threat,threat model,threats,attack,attacker,attackers,attacks,exploit,exploitable,vulnerability,"
        "vulnerabilities,crypto,cryptography,cryptographic,encryption,encrypted,encrypt,decrypt,handshake,hmac,ecdh,"
        "ed25519,aes,gcm,nonce,nonces,constant time,side channel,tamper,sandbox,escape,injection,privilege,escalation,"
        "tenant,tenants,multi tenant,untrusted,pentest,penetration,kms,key rotation,key management,revocation,signing,"
        "signature,signatures,pkce,oauth,saml,sso,authentication,authorization,auth,permissions,token,tokens,replay,"
        "downgrade,secrets,csrf,ssrf,xss,idor,bypass,bypasses,zero trust,e2e encryption,forge,forged,sicherheit,"
        "seguridad,sécurité,segurança,sicherheitskritisch,angriff"
    ),
    "proof words": (
        "prove,proof,proves,provably,correctness,invariant,invariants,guarantee,guarantees,formal,formally,tla,theorem,"
        "lower bound,upper bound,complexity,algorithm,algorithms,undecidable,inference,semantics,derive,derivation,"
        "np hard,optimal,approximation,convergence,verify,verification,specification,lemma,counterexample,soundness,"
        "mathematical,numerically,precision,stability,polymorphism,type checker,optimizer,solver,scheduler,compiler,"
        "irrational,beweise,beweisen,demuestra,démontre,prouve,demonstre"
    ),
    "design words": (
        "architecture,architect,design,tradeoff,tradeoffs,trade off,trade offs,options,alternatives,strategy,approach,"
        "propose,proposal,recommend,recommendation,decide,decision,choose,pick,compare,pros,cons,vs,versus,should we,"
        "should i,or nothing,plan,planning,roadmap,rfc,adr,microservices,microservice,monolith,boundaries,blueprint,"
        "which approach,better,best,evaluate,entwirf,architektur,diskutiere,diseña,arquitectura,arquitetura,conçois,"
        "conception,abwägen,projete"
    ),
    "scale words": (
        "sharding,sharded,reshard,shard,shards,multi region,regions,active active,zero downtime,no downtime,downtime,"
        "dual write,dual writes,cutover,rollback,roll back,rolling,rollout,backfill,without losing,without breaking,"
        "blast radius,failure modes,distributed,throughput,high availability,disaster,recovery,petabyte,federation,"
        "event sourcing,cdc,exit strategy,backwards compatible,backward compatible,compatibility,wire format,wal,"
        "on disk,schema registry,hot key,global,ledger,rolling upgrade,live system,verteilt,verteilte,verteilten"
    ),
    "incident words": (
        "incident,outage,postmortem,post mortem,corrupt,corrupted,lost,loss,losing,data loss,double billed,duplicate,"
        "duplicated,intermittent,intermittently,sometimes,randomly,random,only when,never when,only since,only from,"
        "cannot reproduce,cant reproduce,not reproducible,reproduce,reconstruct,root cause,sporadic,occasionally,"
        "nondeterministic,flaky,heisenbug,drift,disagree,mismatch,off by,once every,every few,p99,spikes,"
        "spike,timeline,evidence,hypotheses,discriminate,rule out,forensics,no repro,nothing in,unexplained,"
        "manchmal,sporadisch,parfois,veces"
    ),
    "stakes words": (
        "prod,production,live,payments,payment,billing,billed,money,customers,customer,ledger,balance,balances,"
        "compliance,regulator,legal,auditor,auditors,gdpr,pci,hipaa,soc2,patients,patient,safety,certified,certify,"
        "irreversible,irreversibly,backup,backups,refund,refunds,bank,mistakes,critical,cfo,cto,medical,insurance,"
        "erasure,retention,contract,contracts,funds,wallet,trading,settlement,kunden,clientes,abrechnung,paiement"
    ),
    "destructive words": (
        "drop,truncate,wipe,purge,erase,destroy,force push,hard reset,reset hard,rm rf,overwrite,irreversible,"
        "delete all,delete every,delete everything,remove all,drop all,remove every,drop every,deletion,rewrite history"
    ),
    "breadth words": (
        "every,all,everywhere,entire,whole,across,codebase,modules,repos,repositories,monorepo,teams,"
        "packages,each,throughout,services,all services,systems,consumers,clients,projects,überall,todos,tous,todas"
    ),
    "reasoning words": (
        "why,carefully,precisely,precise,argument,argue,reason,reasoning,convince,convincingly,step by,think,"
        "think hard,actually,really,exactly,rigorous,rigorously,deep,deeply,subtle,subtly,edge cases,corner cases,"
        "assumptions,implications,consequences,interact,interaction,what happens,what would,opinionated,"
        "warum,pourquoi,porque,genau,exactement,schritt für"
    ),
    "constraint words": (
        "must,mustnt,must not,cannot,cant,without,never,no deps,only if,unless,except,but,however,although,while,still,"
        "keep,keeping,constraint,constraints,requirement,requirements,given that,at most,also,including,incl,plus,"
        "dabei,muss,ohne,aber,sans,mais,doit,sin,pero,debe,sem,mas,deve"
    ),
    "hedged words": (
        "i think,i guess,maybe,not sure,unsure,shouldnt be,should be easy,a little,somehow,i believe,probably"
    ),
    "generated code words": (
        "table,list of,csv,json,yaml,example,boilerplate,stub,template,regex,snippet,one line,oneliner,message,"
        "docstring,gitignore,readme,license,badge"
    ),
}

# Scripts without spaces between words are searched for these instead.
SUBSTRINGS = {
    "lookup words": ("哪个", "哪里", "列出", "找出", "多少", "どこ", "一覧", "どの", "где", "найди", "покажи"),
    "mechanical words": ("重命名", "改名", "错别字", "格式化", "誤字", "リネーム", "переименуй", "опечатк"),
    "feature words": ("添加", "新增", "实现", "实装", "追加", "実装", "作成", "добавь", "реализуй"),
    "test words": ("测试", "テスト", "тест"),
    "bug words": ("报错", "错误", "修复", "エラー", "直して", "修正", "ошибк", "исправь"),
    "explanation words": ("解释", "说明", "什么是", "説明", "とは", "объясни", "что такое"),
    "restructuring words": ("重构", "迁移", "リファクタ", "移行", "рефактор"),
    "review words": ("评审", "审查", "レビュー", "ревью"),
    "security words": ("安全", "加密", "签名", "密钥", "攻击", "渗透", "脆弱性", "暗号", "безопасн", "уязвим"),
    "concurrency words": ("并发", "死锁", "竞态", "一致性", "分布式", "競合", "デッドロック", "整合性", "распредел"),
    "design words": ("架构", "设计", "方案", "権衡", "权衡", "設計", "アーキテクチャ", "архитектур"),
    "proof words": ("证明", "推导", "算法", "証明", "アルゴリズム", "докаж", "алгоритм"),
    "stakes words": ("生产", "支付", "银行", "客户", "本番", "決済", "顧客"),
}

# What the first word that is not politeness asks for.
OPENINGS = {
    "asks a short fact": (
        "which,where,who,list,show,print,count,grep,find,whats,what,is,are,does,do,did,has,have,when,whos,cat,ls,how,"
        "wo,welche,welcher,wer,zeig,qual,quel,quelle,donde,cual,lista,how many,tell,give"
    ),
    "asks a mechanical edit": (
        "rename,format,reformat,lint,bump,sort,replace,remove,delete,change,correct,capitalize,uncomment,"
        "comment,inline,"
        "turn,commit,push,revert,update,swap,move,copy,skip,switch,set,translate,spell,renomme,renombra,indent,make"
    ),
    "asks to run something": (
        "run,rerun,restart,start,stop,install,execute,roda,lance,ejecuta,pull,kill,open,starte,check,git,npm,"
        "yarn,pnpm,pip,cargo,pytest,kubectl,docker"
    ),
    "asks to build something": (
        "add,implement,create,build,write,generate,introduce,support,integrate,setup,scaffold,dockerize,develop,"
        "ajoute,crea,implementiere,erstelle,escribe,configure,extend,wire,hook,expose,enable"
    ),
    "asks for a repair": "fix,debug,repair,resolve,solve,troubleshoot,investigate,diagnose,after,since",
    "asks for restructuring": (
        "refactor,extract,split,migrate,port,convert,upgrade,rewrite,clean,simplify,move,restructure"
    ),
    "asks for a judgement": (
        "is it,is this,should we,should i,are these,review,audit,evaluate,assess,analyze,analyse,compare,"
        "recommend,decide,should,look,investigate"
    ),
    "asks for an explanation": (
        "explain,describe,summarize,document,erkläre,explica,explique,walk,define,why,warum,pourquoi"
    ),
    "asks for a design": "design,architect,propose,plan,prove,derive,threat,model,entwirf,draft,reconstruct,prototype",
}

POLITE = (
    "please,pls,plz,hey,hi,hello,can,could,you,would,kindly,lets,let,us,i,want,need,to,we,id,like,just,"
    "ok,okay,now,then,"
    "so,also,and,me,my,go,ahead,quick,quickly,bitte,kannst,du,por,favor,puedes,sil,te,plait,peux,tu,the,"
    "a,help,want,theres"
)

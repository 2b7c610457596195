//! La visite en français, dans les mots du chapitre.

use crate::cli::exercise::words::{Label, Question, Scene, Told};

pub(super) fn scene(scene: Scene) -> Told {
    match scene {
        Scene::Tolerance => Told {
            title: "Exercice 1 : tester la tolérance aux pannes",
            why: "Nous démarrons trois nœuds et écrivons quelques données, avant toute panne. Dans un autre terminal vous pouvez observer : cluster watch.",
            expect: "un nœud est leader, les deux autres suivent et ont les mêmes données.",
            means: "les mêmes données se trouvent sur trois nœuds : voilà pourquoi nous répliquons. L'un d'eux peut maintenant tomber en panne.",
        },
        Scene::ToleranceRaft => Told {
            title: "Le même exercice sous --raft",
            why: "Les mêmes nœuds, les mêmes commandes, une autre règle : un leader a besoin des votes d'une majorité, et une écriture est confirmée dès qu'une majorité la possède.",
            expect: "au début, aucune différence : un leader, deux suiveurs.",
            means: "tant que tout va bien, cette règle ne coûte rien de visible.",
        },
        Scene::OneGone => Told {
            title: "Un nœud sur trois s'arrête",
            why: "Nous arrêtons le leader, le nœud dont la perte est la plus gênante : son port se ferme, ses connexions se rompent, et personne n'accepte d'écriture tant que les autres n'ont rien remarqué.",
            expect: "un autre nœud prend le relais ; ce qui a été écrit est toujours là, et les écritures continuent.",
            means: "la panne d'un nœud a été surmontée : les autres avaient les données, et une élection a désigné un nouveau leader.",
        },
        Scene::OneGoneStops => Told {
            title: "Un nœud sur trois s'arrête",
            why: "Nous arrêtons le leader. Dans ce mode, chaque nœud doit posséder une écriture avant qu'elle soit confirmée.",
            expect: "un autre nœud prend le relais et ce qui a été écrit est toujours là, mais plus aucune écriture n'est confirmée.",
            means: "la réplication synchrone bloque dès qu'il manque un nœud : rien n'est perdu, et rien ne peut être écrit. C'est son prix.",
        },
        Scene::TwoGone => Told {
            title: "Deux nœuds sur trois s'arrêtent",
            why: "Nous arrêtons aussi le nouveau leader. C'est la question du chapitre : que se passe-t-il lorsque vous arrêtez 2 nœuds sur 3 ?",
            expect: "le dernier nœud est leader tout seul, et répond aux lectures comme aux écritures.",
            means: "personne ne demande de majorité, un seul nœud suffit donc : disponible, mais chaque nouvelle écriture n'existe qu'une fois, et un nœud simplement isolé ferait exactement la même chose. L'exercice 3 montre ce que cela coûte.",
        },
        Scene::TwoGoneStops => Told {
            title: "Deux nœuds sur trois s'arrêtent",
            why: "Nous arrêtons aussi le nouveau leader. C'est la question du chapitre : que se passe-t-il lorsque vous arrêtez 2 nœuds sur 3 ?",
            expect: "le dernier nœud montre encore ce qu'il possède, mais aucune écriture n'est confirmée.",
            means: "un nœud sur trois n'est pas une majorité : sans elle, le magasin refuse de confirmer des écritures plutôt que de risquer de les perdre.",
        },
        Scene::Back => Told {
            title: "Tous reviennent",
            why: "Nous redémarrons les nœuds arrêtés.",
            expect: "un leader, trois copies identiques, et les écritures continuent.",
            means: "un nœud qui revient suit le leader en place, qui le remet à jour.",
        },
        Scene::Delay => Told {
            title: "Exercice 2 : observer le délai de réplication",
            why: "Trois nœuds comme dans le chapitre : le leader répond tout de suite à une écriture et la copie ensuite vers les suiveurs. Nous retardons cette copie, et elle seule, de 100 ms.",
            expect: "le délai est en place, et les élections n'en savent rien : les heartbeats sont aussi rapides qu'avant.",
            means: "sur une seule machine la réplication prend moins d'une milliseconde ; maintenant vous avez le temps de regarder.",
        },
        Scene::Stale => Told {
            title: "Écrire au leader, lire immédiatement depuis un suiveur",
            why: "Chaque tour écrit une nouvelle valeur, interroge un suiveur juste après la réponse, puis recommence jusqu'à ce qu'il montre la nouvelle valeur.",
            expect: "la première lecture montre l'ancienne valeur ; un peu plus de 100 ms plus tard, le suiveur a la nouvelle.",
            means: "c'était une lecture périmée, puis la convergence : cela démontre la cohérence événementielle. L'écriture était confirmée, mais la cohérence lecture-après-écriture n'est pas garantie lors de la lecture depuis les suiveurs.",
        },
        Scene::DelaySync => Told {
            title: "La même chose avec la réplication synchrone",
            why: "Le même délai, mais le leader ne répond maintenant que lorsque tous les suiveurs possèdent l'écriture.",
            expect: "l'écriture elle-même prend 100 ms et plus ; la lecture périmée d'avant est devenue du temps d'attente.",
            means: "le délai n'a pas disparu : c'est celui qui écrit qui attend. Aucune écriture confirmée ne disparaît avec le leader, et chaque écriture est aussi lente que le suiveur le plus lent. (Un suiveur montre la valeur quand il apprend que tous la possèdent : un instant après la réponse.)",
        },
        Scene::DelayRaft => Told {
            title: "La même chose sous --raft, avec des lectures linéarisables",
            why: "Le même délai. Un suiveur à qui l'on demande une lecture linéarisable demande d'abord au leader jusqu'où il doit être arrivé, et attend d'y être.",
            expect: "le suiveur répond chaque fois avec la valeur qui vient d'être écrite.",
            means: "plus de lecture périmée, quel que soit le nœud ; la lecture le paie en attendant. Vous choisissez pour chaque lecture : rapide et peut-être périmée, ou linéarisable.",
        },
        Scene::SplitVote => Told {
            title: "Exercice 3 : améliorer l'élection de leader. 1a : timeouts fixes",
            why: "Les votes de Raft, mais chaque nœud attend aussi longtemps que les autres (--fixed-timeout). Les votes voyagent 100 ms, puis le leader s'arrête : les deux survivants deviennent candidats au même moment, chacun vote pour lui-même, et aucun n'obtient le vote de l'autre.",
            expect: "le terme augmente encore et encore, et personne ne devient leader.",
            means: "un vote partagé, que des nœuds au même pas répètent sans fin. Deux nœuds sur trois sont vivants, c'est une majorité, et pourtant il n'y a pas de leader.",
        },
        Scene::RandomTimeouts => Told {
            title: "1b : timeouts aléatoires, avec la même panne",
            why: "Les mêmes votes qui voyagent 100 ms, le même leader arrêté ; mais chaque nœud tire maintenant son timeout au hasard, entre une et deux fois le timeout fixe.",
            expect: "l'un d'eux se réveille le premier, demande les votes avant que l'autre soit candidat, et devient leader.",
            means: "le hasard départage les candidats : après un ou quelques tours, il y a un leader.",
        },
        Scene::LostWrite => Told {
            title: "2a : le plus petit ID, coupé des autres",
            why: "De nouveau la règle du chapitre : le plus petit ID que l'on entend est leader, sans vote. Nous coupons node-1, le leader, des deux autres, et écrivons des deux côtés.",
            expect: "deux leaders en même temps, qui répondent tous deux « success » ; après la coupure, l'une des deux écritures a disparu.",
            means: "node-1 ne pouvait pas savoir qu'il était seul et a continué ; node-2 a pris le relais, comme il le doit si node-1 est en panne. Tous deux ont confirmé, mais un seul journal peut continuer : une écriture confirmée a été perdue.",
        },
        Scene::RealVotes => Told {
            title: "2b : un vrai vote, avec la même coupure",
            why: "La même coupure sous --raft : node-1 est leader et se retrouve seul, les deux autres forment une majorité.",
            expect: "l'écriture vers node-1 n'est pas confirmée, celle vers le leader de la majorité l'est, et rien de ce qui est confirmé n'est perdu.",
            means: "deux majorités ont toujours un nœud en commun, il ne peut donc pas y en avoir deux séparées. Le leader de la minorité renonce à son rôle et avoue ne pas savoir, au lieu de promettre ce qu'il ne peut pas tenir.",
        },
        Scene::Returning => Told {
            title: "3a : un nœud qui revient, sans pré-vote",
            why: "Nous isolons node-3, un suiveur. Il n'entend plus de leader, devient candidat et augmente chaque fois son terme (--no-pre-vote). Puis il revient. Il n'était jamais en avance : pendant tout ce temps, les autres avaient un leader en bonne santé.",
            expect: "à son retour, son terme supérieur fait tomber ce leader : tout le cluster passe à un nouveau terme, par une nouvelle élection.",
            means: "un nœud simplement absent a perturbé un cluster qui allait bien : un terme supérieur l'emporte toujours, même si personne n'en avait besoin.",
        },
        Scene::PreVote => Told {
            title: "3b : le même nœud, avec pré-vote",
            why: "La même isolation, aussi longue qu'avant. Maintenant node-3 demande d'abord s'il pourrait gagner, et n'augmente son terme qu'ensuite. Seul, personne ne le lui dit.",
            expect: "son terme ne bouge pas ; à son retour, le leader reste leader, dans le même terme.",
            means: "le pré-vote évite de perturber le leader actuel : qui ne peut pas gagner ne dérange pas.",
        },
    }
}

pub(super) fn label(label: Label) -> &'static str {
    match label {
        Label::Expected => "Attendu :",
        Label::Means => "Ce que cela signifie :",
        Label::Enter => "[Entrée pour continuer ; ou tapez une commande : cluster status]",
        Label::OnlyCluster => {
            "seules les commandes cluster sont possibles ici, par exemple : cluster get name"
        }
        Label::NotHere => {
            "pas ici : cela démarrerait ou arrêterait un cluster, ou ne finirait jamais ; utilisez un autre terminal"
        }
        Label::OpenQuote => "un guillemet n'est pas fermé",
        Label::NotAsClaimed => "ce n'est pas ce qui était attendu ; observé :",
        Label::NeverStale => "aucune lecture périmée, dans aucun tour",
        Label::Converged => {
            "le leader a répondu après {written} ms ; le suiveur a montré la nouvelle valeur après {converged} ms"
        }
        Label::Held => {
            "le leader a répondu après {written} ms ; le suiveur a montré la nouvelle valeur {after} ms plus tard"
        }
        Label::Beside => "Côte à côte :",
        Label::Without => "sans",
        Label::With => "avec",
        Label::NobodyLed => "pas de leader",
        Label::Terms => "terme {from} -> {to} en {ms} ms, {leader}",
        Label::Lost => "écritures confirmées perdues : {lost} ; leader : {leader}, terme {from} -> {to}",
        Label::Glossary => {
            "Les commandes répondent en anglais : up (en marche), killed (arrêté), leader et follower (leader et suiveur), candidate (candidat), term (terme), vote (le nœud qui a reçu le vote), log et commit (entrées du journal, et celles qui sont validées), lag (retard), since (depuis), lost (perdu)."
        }
        Label::UntilInVain => "(on attend que trois termes soient passés sans leader)",
        Label::UntilLed => "(on attend que l'un d'eux devienne leader)",
        Label::UntilMajority => "(on attend que le côté de la majorité ait un leader)",
        Label::UntilRaised => "(on attend que node-3 ait augmenté trois fois son terme)",
        Label::UntilAsLong => "(on attend aussi longtemps qu'avant : {ms} ms)",
        Label::UntilSettled => "(on attend que tous suivent le même leader)",
        Label::Done => "Tout s'est passé comme le dit le chapitre.",
        Label::Next => "Et ensuite : cluster exercise {n} --lang fr",
        Label::Last => "Et ensuite, les questions du chapitre : cluster exercise --lang fr",
        Label::Menu => {
            "Les exercices du chapitre, chacun sur son propre cluster, dont il ne reste rien ensuite :

  cluster exercise 1 --lang fr    tester la tolérance aux pannes : deux nœuds sur trois s'arrêtent (--mode raft, bully+quorum, …)
  cluster exercise 2 --lang fr    observer le délai de réplication : une lecture périmée, et l'instant de la convergence
  cluster exercise 3 --lang fr    améliorer l'élection de leader : timeouts aléatoires, vrai vote, pré-vote

  --step attend Entrée entre les étapes et accepte des commandes ; sans --lang fr, la visite est en anglais"
        }
        Label::Questions => "Vérifiez votre compréhension :",
        Label::Choose => "[1, 2 ou 3 pour commencer ; Entrée pour finir]",
    }
}

pub(super) const QUESTIONS: [Question; 5] = [
    Question {
        question: "Pourquoi répliquons-nous les données ?",
        answer: "Pour qu'un nœud puisse tomber en panne sans que les données ou le service soient perdus : le leader s'est arrêté, les autres avaient toujours le nom et ont élu un nouveau leader.",
        seen: "exercice 1, un nœud sur trois s'arrête",
    },
    Question {
        question: "Quelle est la différence entre leader et suiveur ?",
        answer: "Le leader gère toutes les écritures et les copie ; les suiveurs reçoivent les copies et répondent aux lectures, qui peuvent être périmées.",
        seen: "exercice 2, la lecture périmée",
    },
    Question {
        question: "Que se passe-t-il lorsqu'un client essaie d'écrire à un suiveur ?",
        answer: "Il refuse (503, « Not the leader ») et nomme le leader. Essayez : cluster put name Bob --to node-3.",
        seen: "n'importe quel exercice avec --step",
    },
    Question {
        question: "Comment fonctionne l'élection de leader dans notre implémentation ?",
        answer: "Le plus petit ID vivant devient leader, sans vote. C'est simple, mais lors d'une coupure il y a deux leaders, et les écritures confirmées de l'un sont perdues ; les votes d'une majorité l'empêchent.",
        seen: "exercice 3, 2a à côté de 2b",
    },
    Question {
        question: "Quel est le compromis entre la réplication synchrone et asynchrone ?",
        answer: "Asynchrone : une réponse immédiate, mais des lectures périmées, et des pertes si le leader tombe en panne. Synchrone : rien de confirmé ne disparaît avec lui, mais chaque écriture attend le nœud le plus lent, et un seul nœud arrêté les bloque toutes.",
        seen: "exercice 2 ; exercice 1 avec --mode lowest-id+sync",
    },
];

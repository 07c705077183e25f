"""简体中文: sentences of plans, of the store and of errors, by what they are in English (see `sentences`)."""

from __future__ import annotations

_WHYS = {
    "A complaint is still open. Call within a day, with the cause and a remedy": (
        "有投诉尚未解决。一天内致电，说明原因并给出补救办法"
    ),
    "A delivery is late, and they have not complained yet. Call within a day, with the cause and a remedy": (
        "有订单延误，客户尚未投诉。一天内致电，说明原因并给出补救办法"
    ),
    "A complaint was closed lately. Ask whether all is well again": "投诉刚刚结案。询问问题是否已彻底解决",
    "One of the most valuable customers might leave. Go through the year with them": (
        "最有价值的客户之一可能离开。与其一起回顾这一年"
    ),
    "A valuable customer is slipping away. Ask what is missing, and offer it": (
        "一位有价值的客户正在疏远。了解缺少什么并提供给客户"
    ),
    "A key account is all but lost. Visit them, hear why, and come with an offer of your own": (
        "一个重点客户几近流失。登门拜访，了解原因，并带去专门的方案"
    ),
    "More likely to stay away than to come back. Ask why": "不再回来的可能大于回来。询问原因",
    "A major customer with room to grow. Invite them to what VIP customers have": (
        "仍有增长空间的主要客户。邀请其体验 VIP 客户的待遇"
    ),
    "Buys steadily. A club gives a reason to stay that is not the price": "购买稳定。会员俱乐部是价格之外留下的理由",
    "A running contract is in danger. Offer a plan that suits how they use it, for another term": (
        "一份履行中的合约有流失风险。按其使用情况提供更合适的方案并续约"
    ),
    "A trader whose orders could come by themselves. Connect their stock with our ordering": (
        "这位经销商的订单可以自动产生。将其库存与我们的订货系统对接"
    ),
    "Comes back over a long time. Say thank you before there is a reason to leave": (
        "长期回购的客户。在其有理由离开之前表示感谢"
    ),
    "Customers like this one come to a further category next. Show it": "同类客户接下来会购买另一品类。向其推荐",
    "A birthday is near": "生日将至",
    "It will soon be some years since the first purchase. Say thank you": "首次购买的周年将至。表示感谢",
    "Has been quiet. A reminder costs next to nothing": "最近没有动静。提醒一下几乎没有成本",
    "New, and not yet in the habit. The second purchase decides": "新客户，尚未养成习惯。第二次购买是关键",
    "An invoice is overdue. A friendly reminder, before it becomes a quarrel": "有账单逾期。在变成纠纷之前友好地提醒",
    "Owes something long overdue. Agree on paying it, and on payment in advance from now on": (
        "有款项逾期已久。商定付款，并约定今后预付"
    ),
    "Costs more to serve than they bring. The standard service, by web and e-mail, is what pays for both": (
        "服务成本高于其带来的价值。通过网站和电子邮件提供标准服务，对双方都合算"
    ),
}
"""Why each action of the catalogue is done."""

_REASONS = {
    "{part}. The chance that they stay away for {days} days is {churn}, which puts {money} at risk; after its cost of "
    "{money2} the action is expected to bring {money3}.{further}": (
        "{part}。客户在 {days} 天内不再购买的概率为 {churn}，有 {money} 面临流失；扣除成本 {money2} 后，该行动预计带来"
        " {money3}。{further}"
    ),
    " {title} would bring {money} more, but the {limit} is needed elsewhere.": (
        "“{title}”可多带来 {money}，但{limit}要用在别处。"
    ),
    " {title} would bring {money} more, but the {limit} are needed elsewhere.": (
        "“{title}”可多带来 {money}，但{limit}要用在别处。"
    ),
    " Next best: {title}, {money}.": "次优选择：{title}，{money}。",
    " Next best: {title}.": "次优选择：{title}。",
    " Left alone as a control, to measure what the action brings.": "作为对照不予联系，用于衡量行动的效果。",
}

_PLANS = {
    "{action} is left out: there is no column {columns}": "未纳入{action}：没有{columns}",
    "no consent is recorded: it is taken as given (plan.consent_where_not_recorded in the policy)": (
        "没有营销同意的记录：一律视为已同意（策略中的 plan.consent_where_not_recorded）"
    ),
    "no consent is recorded: it is taken as refused (plan.consent_where_not_recorded in the policy)": (
        "没有营销同意的记录：一律视为未同意（策略中的 plan.consent_where_not_recorded）"
    ),
    "no past contacts are known: cooldowns and contact caps are not applied": (
        "没有以往的联系记录：间隔期和联系次数上限不起作用"
    ),
    "there is no column status: lost customers cannot be told from others": "没有状态列：无法区分已流失的客户",
    "1 customer wants no contact, and is left alone (keepwell outcome)": "1 位客户不愿被联系，不予打扰",
    "{count} customers want no contact, and are left alone (keepwell outcome)": "{count} 位客户不愿被联系，不予打扰",
    "1 customer has no value in the scores, and is left out": "评分中有 1 位客户没有价值，未纳入",
    "{count} customers have no value in the scores, and are left out": "评分中有 {count} 位客户没有价值，未纳入",
    "the store does not know who has consented (keepwell plan --data does), so what needs consent is left out: {actions}": (
        "存储中没有客户是否同意营销的信息（keepwell plan --data 有），需要同意的行动未纳入：{actions}"
    ),
    "contacts before {day} tell what to expect of {count} of {all} actions (column evidence)": (
        "{all} 种行动中，有 {count} 种的预期效果来自 {day}之前的联系结果"
    ),
    "what actions do is taken from the policy: no evidence of contacts before {day} is kept": (
        "行动的效果取自策略中的先验值：没有 {day}之前联系结果的记录"
    ),
    "what actions do is taken from the policy: {part}": "行动的效果取自策略中的先验值：{part}",
    "the evidence {path} cannot be read: {error}": "无法读取联系结果 {path}：{error}",
    "the evidence is of {name}, and the plan of {other}": "联系结果属于 {name}，而计划属于 {other}",
    "the evidence is of {days} days after a contact, and the plan of {days2}": (
        "联系结果按联系后 {days} 天计，而计划按 {days2} 天计"
    ),
    "{action} keeps its prior: {part}": "{action}沿用先验值：{part}",
    "no contact before {day} can teach: {parts}": "{day}之前没有可供学习的联系：{parts}",
    "{count} have no arm, so nobody was drawn": "{count} 次没有分组，即未随机抽取",
    "{count} have not had {days} days yet": "{count} 次尚不满 {days} 天",
    "there is none": "一次也没有",
    "{name}: no rows of {arm}, the control; {least} are needed": "没有对照组 {arm} 的记录，至少需要 {least} 条",
    "{name}: no rows of {arm}, an arm; {least} are needed": "没有分组 {arm} 的记录，至少需要 {least} 条",
    "{name}: {count} row of {arm}, the control; {least} are needed": "对照组 {arm} 只有 {count} 条记录，至少需要 {least} 条",
    "{name}: {count} row of {arm}, an arm; {least} are needed": "分组 {arm} 只有 {count} 条记录，至少需要 {least} 条",
    "{name}: {count} rows of {arm}, the control; {least} are needed": "对照组 {arm} 只有 {count} 条记录，至少需要 {least} 条",
    "{name}: {count} rows of {arm}, an arm; {least} are needed": "分组 {arm} 只有 {count} 条记录，至少需要 {least} 条",
    "{name}.propensity: promises {count} rows of {arm}, but there are {count2}": (
        "所给的抽中概率意味着 {arm} 应有 {count} 条记录，实际有 {count2} 条"
    ),
    "contacts.propensity: is missing in some rows of an action{further}": "有的记录缺少抽中概率{further}",
    "{name}.propensity: must lie between 0 and 1{further}": "抽中概率必须在 0 与 1 之间{further}",
}

_DEEDS = {
    "plan {number}": "计划 {number}",
    "plan {number}: nobody": "计划 {number}：尚无人",
    "plan {number}: {count} customers among {names}": "计划 {number}：{count} 位客户，分给 {names}",
    "plan {number}: {names}": "计划 {number}：{names}",
    "{days} days: version {version} in place of none": "{days} 天：启用版本 {version}，此前没有",
    "{days} days: version {version} in place of {version2}: {reason}": (
        "{days} 天：以版本 {version} 取代版本 {version2}：{reason}"
    ),
    "{days} days: version {version} in place of {version2}": "{days} 天：以版本 {version} 取代版本 {version2}",
    "{name}: password": "{name}：密码",
    "new scores came while the plan was made (make it again, from these)": "制定计划期间来了新的评分（请据此重新制定）",
}
"""Details of what somebody did."""

_ERRORS = {
    "the plan cannot be changed so: {reason}": "计划不能这样更改：{reason}",
    "look at the plan as it is now": "请查看现在的计划",
    "new scores came while the plan was made": "制定计划期间来了新的评分",
    "make it again, from these": "请依据新的评分重新制定",
    "the plan was not made": "计划未能制定",
    "try again: its making was broken off": "请重试：制定过程中断",
    "a plan weighs money, and these scores have none": "制定计划需要衡量价值，而这些评分中没有价值",
    "bring what customers are worth (prices of contracts, values of labels), train and score": (
        "请提供客户的价值（合约价格、标签中的价值），再训练和评分"
    ),
    "the form is too long": "表单过长",
    "shorten the note, go back and send it again": "请返回，缩短备注后重新提交",
    "the form cannot be read": "无法读取表单",
    "go back and send it again": "请返回后重新提交",
    "the form is too old, or not one of ours": "表单已过期，或不是本站的表单",
    "reload the page and send it again": "请刷新页面后重新提交",
    "the note is too long": "备注过长",
    "write at most {count} characters": "最多 {count} 个字符",
    "there is no step {step}": "没有 {step} 这一步",
    "use the buttons of the page": "请使用页面上的按钮",
    "the scores hold no such customer": "评分中没有这位客户",
    "go back to the list": "请返回列表",
    "there is no review {name}": "没有复盘 {name}",
    "look at the newest one": "请查看最新的一份",
    "there are no models to go back to": "没有可以退回的模型",
    "train one first": "请先训练",
    "version {version} is no longer the previous one": "版本 {version} 已不是上一个版本",
    "look again: the champion has changed": "请重新查看：现用模型已更换",
    "the name of a view cannot be empty or too long": "视图名称不能为空，也不能过长",
    "use 1 to {count} characters": "请用 1 至 {count} 个字符",
    "the view is too long to be saved": "视图过长，无法保存",
    "search for a shorter text": "请缩短搜索词",
    "{count} views are saved already": "已保存 {count} 个视图",
    "delete one that nobody needs any more": "请先删除一个不再需要的",
    "controls are left alone, so no list of them is to be worked through": "对照客户不予打扰，因此不能导出其清单",
    "choose another standing": "请选择其他进展",
    "this address is of no plan": "该地址不对应任何计划",
    "go back to the plan": "请返回计划页",
    "too much is being worked out already": "正在计算的内容过多",
    "wait until some of it is done, and reload the page": "请稍候再刷新页面",
    "a workbook holds at most {count} customers": "一个工作簿最多容纳 {count} 位客户",
    "take the CSV file, or narrow the list down with its filters": "请改用 CSV 文件，或用筛选缩小列表",
    "there is no deed {number}": "没有记录 {number}",
    "go back to the newest ones": "请返回最新的记录",
    "there is no column {name}": "没有列 {name}",
    "{name} cannot be {value}": "{name} 不能是 {value}",
    "use a number of 0 or more, or leave it empty": "请填写不小于 0 的数字，或留空",
    "use a number from {least} to {most}": "请填写 {least} 至 {most} 之间的数字",
    "use a whole number from {least} to {most}": "请填写 {least} 至 {most} 之间的整数",
    "use a number": "请填写数字",
    "use one of {words}": "可用：{words}",
    "use {words}": "可用：{words}",
    "the store {place} cannot be used: {cause}": "无法使用存储 {place}：{cause}",
    "name or password is wrong": "姓名或密码不正确",
    "try again": "请重试",
    "too many attempts": "尝试次数过多",
    "wait {count} minutes": "请等待 {count} 分钟",
}

SENTENCES = {**_WHYS, **_REASONS, **_PLANS, **_DEEDS, **_ERRORS}

DETAILS = {
    "still open": "尚未结案",
    "closed": "已结案",
    "closed after 1 day": "1 天后结案",
    "closed after {days} days": "{days} 天后结案",
    "severity {number}": "严重程度 {number}",
    "not paid": "未付款",
    "paid in time": "按时付款",
    "paid 1 day late": "迟付 1 天",
    "paid {days} days late": "迟付 {days} 天",
    "and {count} more": "另有 {count} 项",
}
"""What the timeline says of events, beside the company's own words."""
